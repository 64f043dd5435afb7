"""Similar words of a file: a table of them, or vectors of words.

vectors     2 3              how many words, of how many numbers; GloVe's
            film 0.1 0.2 3   files have no such line
            movie 0 0.2 3.1
a table     film<TAB>movie picture
"""

import functools
from collections.abc import Sequence

import numpy as np
from absl import logging

from data.building import similar_words
from text import corpus
from tools.augmentation import Found, Word

# Files have the frequent words first; the rare ones are names and slips.
# Source: TinyBERT's data_augmentation.py.
_MOST_WORDS = 100_000


class Table:
    """Similar words, as a file lists them.

    Args:
        others: {word in lower case: similar words, the most similar first}.
        count: how many of them are candidates.
    """

    def __init__(self, others: dict[str, list[str]], count: int):
        self._others = others
        self._count = count

    def candidates(self, texts: Sequence[str], words: Sequence[Word]) -> Found:
        """Returns the similar words of each; see `Candidates`."""
        named = {w: texts[w.text][w.begin : w.end].lower() for w in words}
        return {
            word: self._others[name][: self._count]
            for word, name in named.items()
            if name in self._others
        }


class Vectors:
    """Similar words by the angle between their vectors.

    Args:
        names: of N words.
        vectors: float32 [N, numbers].
        count: how many are candidates.
    """

    def __init__(self, names: Sequence[str], vectors: np.ndarray, count: int):
        self._names = names
        self._rows = {name.lower(): n for n, name in enumerate(names)}
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        self._vectors = vectors / np.maximum(lengths, 1e-12)
        self._count = count
        self._similar = functools.cache(self._find)

    def candidates(self, texts: Sequence[str], words: Sequence[Word]) -> Found:
        """Returns the most similar words of each; see `Candidates`."""
        named = {w: texts[w.text][w.begin : w.end].lower() for w in words}
        return {
            word: self._similar(name)
            for word, name in named.items()
            if name in self._rows
        }

    def _find(self, name):
        row = self._rows[name]
        cosines = self._vectors @ self._vectors[row]
        cosines[row] = -np.inf
        order = np.argsort(-cosines, kind="stable")[: self._count]
        return [self._names[n] for n in order if n != row]


def read(path: str, count: int) -> Table | Vectors:
    """Reads a file of similar words; a tab in its first line says which form.

    Args:
        path: local or remote, UTF-8, gzipped or not.
        count: how many similar words of each to take.

    Raises:
        ValueError: it is of neither form; names the line.
    """
    text = corpus.read(path)
    if "\t" not in text.partition("\n")[0]:
        return _read_vectors(path, text, count)
    others: dict[str, dict[str, None]] = {}
    for word, other in similar_words.read_pairs(path, text):
        others.setdefault(word.lower(), {})[other] = None
    return Table({word: list(x) for word, x in others.items()}, count)


def _read_vectors(path, text, count):
    lines = text.rstrip("\n").split("\n")
    first = lines[0].split()
    has_header = len(first) == 2 and all(x.isdecimal() for x in first)
    width = int(first[1]) if has_header else len(first) - 1
    used = lines[has_header:][:_MOST_WORDS]
    names, vectors = [], np.empty((len(used), width), np.float32)
    for row, line in enumerate(used):
        name, *numbers = line.rstrip().split(" ")
        try:
            vectors[row] = np.array(numbers, np.float32)
            is_whole = width > 0 and np.isfinite(vectors[row]).all()
        except ValueError:
            is_whole = False
        if not is_whole:
            raise ValueError(
                f"{path}, line {row + 1 + has_header}: --similar_words wants a "
                f"word and {width} numbers between spaces, or a word, a tab "
                f"and similar words, got {line[:60]!r}"
            )
        names.append(name)
    logging.info(
        "%s: the first %s of %s words", path, len(used), len(lines) - has_header
    )
    return Vectors(names, vectors, count)
