"""Sentences -> rows: a long sentence is several, and none of it is lost.

The words "playing a b cd" with --max_seq_length=6 and --window_overlap=1; a
word's label is at its first piece, where the weight is 1:

    row 0      [CLS] play ##ing a  b   [SEP]     first_word 0, is_start
    weights      0    1     0   1  1     0
    row 1      [CLS]  b     c  ##d [SEP] [PAD]   first_word 2, is_end
    weights      0    1     1   0    0     0

Both rows have "b"; row 0 shows more around it (all that comes before), so its
tag is that of row 0.

Shapes: N rows, T tokens.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from finetuning.tagging.sentences import Sentence
from finetuning.tagging.tokenization import WordTokenizer
from text.vocab import Vocabulary


def spans(
    num_pieces: Sequence[int], capacity: int, overlap: int
) -> list[tuple[int, int]]:
    """Returns (first word, word after the last) of each window.

    Args:
        num_pieces: of each word; none has more than `capacity`.
        capacity: how many pieces a window takes.
        overlap: about how many of them the next window has again.
    """
    if not len(num_pieces):
        return [(0, 0)]
    ends = np.cumsum(num_pieces)
    starts = ends - num_pieces
    windows, begin = [], 0
    while True:
        end = int(np.searchsorted(ends, starts[begin] + capacity, "right"))
        windows.append((begin, end))
        if end == len(ends):
            return windows
        # The next window has the words of the overlap again, but only so many
        # that there is room for a new one.
        least = max(ends[end - 1] - overlap, ends[end] - capacity)
        begin = int(np.searchsorted(starts, least))


def make_rows(
    sentences: Sequence[Sentence],
    tokenizer: WordTokenizer,
    vocabulary: Vocabulary,
    *,
    max_seq_length: int,
    overlap: int,
    numbers: Mapping[str, int],
) -> dict[str, np.ndarray]:
    """Returns the rows of sentences.

    Args:
        sentences: with or without labels.
        tokenizer: of the vocabulary.
        vocabulary: knows the special tokens.
        max_seq_length: T.
        overlap: pieces that two windows of a sentence share.
        numbers: {label: number}.

    Returns:
        int32 "input_ids", "input_mask", "segment_ids", "label_ids" [N, T];
        float32 "label_weights" [N, T], 1 on the first piece of each word;
        int32 [N] "sentence" and "first_word", which say what words a row has,
        and "is_start" and "is_end": whether it has the sentence's first and
        last word.
    """
    roles = vocabulary.roles
    capacity = max_seq_length - 2
    windows = []
    for number, words in enumerate(tokenizer.tokenize(sentences)):
        # A word without a token still needs a place for its label.
        pieces = [word[:capacity] or [roles.unk] for word in words]
        windows += [
            (number, begin, end, len(pieces) == end, pieces[begin:end])
            for begin, end in spans(list(map(len, pieces)), capacity, overlap)
        ]
    shape = (len(windows), max_seq_length)
    rows = {
        name: np.zeros(shape, np.int32)
        for name in ("input_ids", "input_mask", "segment_ids", "label_ids")
    }
    rows["input_ids"].fill(vocabulary.padding_id)
    rows["label_weights"] = np.zeros(shape, np.float32)
    for row, (number, begin, end, _, pieces) in enumerate(windows):
        ids = [roles.cls, *(i for word in pieces for i in word), roles.sep]
        rows["input_ids"][row, : len(ids)] = ids
        rows["input_mask"][row, : len(ids)] = 1
        firsts = np.cumsum([1, *map(len, pieces)])[:-1]
        rows["label_weights"][row, firsts] = 1
        if sentences[number].labels:
            rows["label_ids"][row, firsts] = [
                numbers[label] for label in sentences[number].gold[begin:end]
            ]
    of_window = np.array([w[:4] for w in windows], np.int32)
    return rows | {
        "sentence": of_window[:, 0],
        "first_word": of_window[:, 1],
        "is_start": (of_window[:, 1] == 0).astype(np.int32),
        "is_end": of_window[:, 3],
    }


def merge(
    rows: Mapping[str, np.ndarray], tags: np.ndarray, num_words: Sequence[int]
) -> list[np.ndarray]:
    """Returns the tag of each word, from the window that shows most around it.

    A window that has the first or the last word of its sentence lacks nothing
    on that side.

    Args:
        rows: from `make_rows`.
        tags: int [N, T].
        num_words: of each sentence.

    Returns:
        For each sentence int [words].
    """
    merged = [np.zeros(count, np.int64) for count in num_words]
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
        merged[number][words][is_better] = tags[row, places][is_better]
        most[number][words][is_better] = around[is_better]
    return merged
