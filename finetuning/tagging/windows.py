"""Sentences -> rows: a long sentence is several, and none of it is lost.

Shapes: N rows, T tokens.
"""

import dataclasses

import numpy as np

from text import t2s


def spans(num_pieces, capacity, overlap):
    """Returns (first word, word after the last) of each window.

    Args:
        num_pieces: of each word, [words]; none has more than `capacity`.
        capacity: how many pieces a window takes.
        overlap: about how many of them the next window has again.
    """
    if not len(num_pieces):
        return [(0, 0)]
    ends = np.cumsum(num_pieces)
    starts = ends - num_pieces
    found, begin = [], 0
    while True:
        end = int(np.searchsorted(ends, starts[begin] + capacity, "right"))
        found.append((begin, end))
        if end == len(ends):
            return found
        # The words of the overlap, but no more than leave room for a new one.
        least = max(ends[end - 1] - overlap, ends[end] - capacity)
        begin = int(np.searchsorted(starts, least))


def simplify(sentences):
    """Returns the sentences with their words in simplified Chinese."""
    texts = "\n".join(sentence.text for sentence in sentences)
    return [
        dataclasses.replace(
            sentence,
            words=tuple(
                text[begin : begin + len(word)]
                for begin, word in zip(
                    sentence.starts, sentence.words, strict=True
                )
            ),
        )
        for sentence, text in zip(
            sentences,
            t2s.to_simplified_in_place(texts).split("\n"),
            strict=True,
        )
    ]


def make_rows(sentences, tokenizer, ids, *, max_seq_length, overlap, numbers):
    """Returns the rows of sentences.

    Args:
        sentences: a list of `conll.Sentence`.
        tokenizer: a `text.tokenization.Tokenizer`.
        ids: {token: id} of its vocabulary.
        max_seq_length: T.
        overlap: pieces that two windows of a sentence share.
        numbers: {label: number}.

    Returns:
        int32 "input_ids", "input_mask", "segment_ids", "label_ids" [N, T];
        float32 "label_weights" [N, T], 1 on the first piece of each word;
        int32 [N] "sentence" and "first_word", of which words a row is, and
        "is_start" and "is_end": whether it has the sentence's first and last.
    """
    capacity = max_seq_length - 2
    windows = [
        (number, begin, end, len(pieces) == end, pieces[begin:end])
        for number, pieces in enumerate(
            _pieces(sentences, tokenizer, ids["[UNK]"], capacity)
        )
        for begin, end in spans([len(x) for x in pieces], capacity, overlap)
    ]
    shape = (len(windows), max_seq_length)
    rows = {
        name: np.zeros(shape, np.int32)
        for name in ("input_ids", "input_mask", "segment_ids", "label_ids")
    }
    rows["label_weights"] = np.zeros(shape, np.float32)
    for row, (number, begin, end, _, pieces) in enumerate(windows):
        flat = [ids["[CLS]"], *(i for word in pieces for i in word)]
        rows["input_ids"][row, : len(flat) + 1] = [*flat, ids["[SEP]"]]
        rows["input_mask"][row, : len(flat) + 1] = 1
        firsts = np.cumsum([1, *map(len, pieces)])[:-1]
        rows["label_weights"][row, firsts] = 1
        if sentences[number].labels:
            rows["label_ids"][row, firsts] = [
                numbers[label] for label in sentences[number].labels[begin:end]
            ]
    of_window = np.array([w[:4] for w in windows], np.int32)
    return rows | {
        "sentence": of_window[:, 0],
        "first_word": of_window[:, 1],
        "is_start": (of_window[:, 1] == 0).astype(np.int32),
        "is_end": of_window[:, 3],
    }


def _pieces(sentences, tokenizer, unk_id, capacity):
    """Yields, for each sentence, the list of ids of each word."""
    words = "\n".join(word for x in sentences for word in x.words)
    ids, starts = tokenizer.tokenize(words)
    ids, line = ids.tolist(), 0
    for sentence in sentences:
        last = line + len(sentence.words)
        yield [
            ids[starts[n] : starts[n + 1]][:capacity] or [unk_id]
            for n in range(line, last)
        ]
        line = last


def merge(rows, tags, num_words):
    """Returns the tag of each word, from the window that shows most around it.

    What is at the end of a sentence has all of it there.

    Args:
        rows: from `make_rows`.
        tags: int [N, T].
        num_words: of each sentence.

    Returns:
        A list of int arrays, one a sentence.
    """
    found = [np.zeros(count, np.int64) for count in num_words]
    most = [np.full(count, -1) for count in num_words]
    whole = rows["input_ids"].shape[1]
    lengths = rows["input_mask"].sum(axis=1)
    for row, number in enumerate(rows["sentence"]):
        (places,) = np.nonzero(rows["label_weights"][row])
        before = whole if rows["is_start"][row] else places
        after = whole if rows["is_end"][row] else lengths[row] - places
        around = np.broadcast_to(np.minimum(before, after), places.shape)
        begin = rows["first_word"][row]
        words = slice(begin, begin + len(places))
        is_better = around > most[number][words]
        found[number][words][is_better] = tags[row, places][is_better]
        most[number][words][is_better] = around[is_better]
    return found
