"""The Jaccard similarity of all pairs of documents, by their shingles."""

import numpy as np

from corpus.duplicates import minhash
from text.compiled import njit


def similar_pairs(texts, threshold):
    """Returns all pairs of a similarity, by the later document.

    Args:
        texts: some ten thousand documents.
        threshold: the least Jaccard similarity of a pair.

    Returns:
        (later, earlier, similarity) of each pair, ascending.
    """
    sets = [np.unique(minhash.shingles(text)) for text in texts]
    starts = np.cumsum([0, *map(len, sets)])
    _, shingles = np.unique(np.concatenate(sets), return_inverse=True)
    # Where each shingle stands: postings[begins[x] : begins[x + 1]] are the
    # documents of shingle x, ascending.
    owners = np.repeat(np.arange(len(sets), dtype=np.int32), np.diff(starts))
    postings = owners[np.argsort(shingles, kind="stable")]
    begins = np.cumsum([0, *np.bincount(shingles)])
    return _similar_pairs(shingles, starts, postings, begins, threshold)


@njit()
def _similar_pairs(shingles, starts, postings, begins, threshold):
    num_texts = len(starts) - 1
    shared = np.zeros(num_texts, np.int64)
    pairs = []
    for i in range(num_texts):
        shared[:i] = 0
        for x in shingles[starts[i] : starts[i + 1]]:
            for place in range(begins[x], begins[x + 1]):
                j = postings[place]
                if j >= i:
                    break
                shared[j] += 1
        size = starts[i + 1] - starts[i]
        for j in range(i):
            if shared[j]:
                either = size + starts[j + 1] - starts[j] - shared[j]
                similarity = shared[j] / either
                if similarity >= threshold:
                    pairs.append((i, j, similarity))
    return pairs
