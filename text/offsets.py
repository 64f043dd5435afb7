"""Tokenizes and keeps the places of the tokens in the text."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from text import pieces, t2s
from text.vocab import Vocabulary


class Tokens(NamedTuple):
    """Tokens of several texts, one text behind the other.

    Those of text i are `[starts[i] : starts[i + 1]]` of each array; a token is
    made of the characters `text[begin:end]`. No token begins or ends before the
    one before it.
    """

    ids: np.ndarray  # int32 [tokens]
    starts: np.ndarray  # int64 [texts + 1]
    begins: np.ndarray  # int32 [tokens]
    ends: np.ndarray  # int32 [tokens]


class Tokenizer:
    """Turns texts into the ids of `tokenization.Tokenizer`, with places."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        do_lower_case: bool = True,
        simplify: bool = False,
    ):
        """Compiles the vocabulary.

        Args:
            vocabulary: has the rows that tokens are.
            do_lower_case: whether the model is uncased; accents go with case.
            simplify: whether traditional Chinese is made simplified before.
        """
        self.layout = vocabulary.layout
        self._convert = t2s.to_simplified_in_place if simplify else str
        self._pieces = pieces.make(vocabulary, do_lower_case)

    def tokenize(self, texts: Sequence[str]) -> Tokens:
        """Returns the tokens of texts; a line end in a text is white space."""
        if not texts:
            nothing = np.zeros(0, np.int32)
            return Tokens(nothing, np.zeros(1, np.int64), nothing, nothing)
        lines = "\n".join(text.replace("\n", " ") for text in texts)
        ids, starts, begins, ends = self._pieces.tokenize_with_places(
            self._convert(lines)
        )
        lengths = np.array([len(text) + 1 for text in texts])
        first = np.repeat(np.cumsum(lengths) - lengths, np.diff(starts))
        return Tokens(
            ids,
            starts,
            (begins - first).astype(np.int32),
            (ends - first).astype(np.int32),
        )
