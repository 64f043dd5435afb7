"""Counts documents that are copies of others, within a shard and among shards.

A document is a hash of its ids. Within a shard all are compared. Of each shard
the lowest hashes are kept, in the manifest, and tell how many documents are in
several: equal documents have equal hashes, so that the lowest are a sample in
which no copy is without the other. Two shards, of which three hashes are kept:

    shard 0    1 4 6 | 7 9        all up to 6 are known of both
    shard 1    1 5 9 | 10         1, 1, 4, 5, 6: four of five are different,
                                  and so are about four fifths of all nine

Source: Cohen and Kaplan 2007, "Summarizing data using bottom-k sketches".
"""

from collections.abc import Sequence

import numpy as np

from data.building.instances import Corpus
from text.compiled import njit

NUM_KEPT = 256
# Odd numbers that mix bits well: the golden ratio's, and splitmix64's.
_STEP = np.uint64(0x9E3779B97F4A7C15)
_LAST_STEP = np.uint64(0xBF58476D1CE4E5B9)
_SHIFT = np.uint64(29)
_DIGITS = 16


def find(corpus: Corpus) -> tuple[int, str]:
    """Counts the copies in a shard.

    Returns:
        (number, lowest): documents that an earlier one equals in all its
        tokens; the lowest `NUM_KEPT` of the hashes, ascending, in sixteen
        digits each.
    """
    hashes = _hashes(corpus.ids, corpus.sentences[corpus.documents])
    different = np.unique(hashes)
    lowest = different[:NUM_KEPT].tolist()
    return len(hashes) - len(different), "".join(f"{x:016x}" for x in lowest)


@njit()
def _hashes(ids, starts):
    """Returns uint64 [documents], of the ids from each start to the next."""
    hashes = np.empty(len(starts) - 1, np.uint64)
    for i in range(len(hashes)):
        value = np.uint64(starts[i + 1] - starts[i])
        for k in range(starts[i], starts[i + 1]):
            value = (value ^ np.uint64(ids[k])) * _STEP
            value ^= value >> _SHIFT
        value *= _LAST_STEP
        hashes[i] = value ^ (value >> _SHIFT)
    return hashes


def is_exact(lowest: Sequence[str]) -> bool:
    """Whether `number` counts all, as far as hashes can tell."""
    return len(lowest) == 1 or all(
        len(some) < NUM_KEPT * _DIGITS for some in lowest
    )


def number(num_documents: int, num_within: int, lowest: Sequence[str]) -> int:
    """Returns how many documents of all shards are copies of others.

    Args:
        num_documents: how many there are.
        num_within: how many are copies of one of their own shard.
        lowest: the lowest hashes of each shard, as of `find`.
    """
    split = [
        [some[k : k + _DIGITS] for k in range(0, len(some), _DIGITS)]
        for some in lowest
    ]
    # Texts of as many digits are in the order of their numbers.
    cut = [some[-1] for some in split if len(some) == NUM_KEPT]
    end = min(cut, default="g")
    known = [value for some in split for value in some if value <= end]
    share = len(set(known)) / len(known)
    return num_documents - round(share * (num_documents - num_within))
