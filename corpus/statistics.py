"""Counts what a corpus holds: lengths, characters, what a vocabulary makes."""

import dataclasses
import functools
from collections.abc import Iterable

import numpy as np

from corpus.document import num_chars
from text.code_points import code_points
from text.tokenization import Tokenizer

# Lengths in characters, from one bound up to the next.
SENTENCE_BOUNDS = (1, 5, 10, 20, 30, 40, 60, 80, 120, 200, 500)
DOCUMENT_BOUNDS = (1, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 100_000)
NUM_CODES = 0x110000


@dataclasses.dataclass
class Sizes:
    """How much text there is."""

    num_documents: int = 0
    num_sentences: int = 0
    num_chars: int = 0  # Without blanks.
    num_bytes: int = 0  # As they stand in the files.
    num_tokens: int = 0  # By --vocab_file, if there is one.
    num_unk_tokens: int = 0
    sentence_lengths: list[int] = dataclasses.field(
        default_factory=lambda: [0] * len(SENTENCE_BOUNDS)
    )
    document_lengths: list[int] = dataclasses.field(
        default_factory=lambda: [0] * len(DOCUMENT_BOUNDS)
    )


def add(sizes: Iterable[Sizes]) -> Sizes:
    """Adds up the sizes of several files."""
    total = Sizes()
    for one in sizes:
        for field in dataclasses.fields(Sizes):
            mine, more = getattr(total, field.name), getattr(one, field.name)
            if isinstance(mine, list):
                more = [a + b for a, b in zip(mine, more, strict=True)]
            else:
                more += mine
            setattr(total, field.name, more)
    return total


class Counter:
    """Counts documents as they are written."""

    def __init__(self, counts_tokens: Tokenizer | None, unk: int):
        self.sizes = Sizes()
        self.codes = np.zeros(NUM_CODES, np.int64)
        self._tokenizer = counts_tokens
        self._unk = unk

    def count(self, text: str) -> None:
        """Takes in documents: sentences, and a blank line behind each."""
        lengths = np.array([len(line) for line in text.split("\n")[:-1]])
        ends = np.flatnonzero(lengths == 0)
        documents = np.add.reduceat(lengths, [0, *ends[:-1]])
        sizes = self.sizes
        sizes.num_documents += len(documents)
        sizes.num_sentences += len(lengths) - len(ends)
        sizes.num_chars += num_chars(text)
        _add_up(sizes.sentence_lengths, lengths[lengths > 0], SENTENCE_BOUNDS)
        _add_up(sizes.document_lengths, documents, DOCUMENT_BOUNDS)
        counts = np.bincount(code_points(text))
        self.codes[: len(counts)] += counts
        if self._tokenizer:
            ids, _ = self._tokenizer.tokenize(text)
            sizes.num_tokens += len(ids)
            sizes.num_unk_tokens += int((ids == self._unk).sum())


tokenizer = functools.lru_cache(maxsize=1)(Tokenizer)


def _add_up(counts, lengths, bounds):
    places = np.searchsorted(bounds, lengths, side="right") - 1
    for place, count in enumerate(np.bincount(places, minlength=len(bounds))):
        counts[place] += int(count)


def unknown(
    codes: np.ndarray, tokenizer: Tokenizer, unk: int
) -> dict[str, int]:
    """Returns the characters that alone are [UNK], the most frequent first.

    Args:
        codes: int64 [code points]: how often there is each.
        tokenizer: of the vocabulary.
        unk: the id of [UNK].
    """
    missing = {}
    for code in np.flatnonzero(codes).tolist():
        ids, _ = tokenizer.tokenize(chr(code))
        if unk in ids:
            missing[chr(code)] = int(codes[code])
    return dict(sorted(missing.items(), key=lambda x: (-x[1], x[0])))
