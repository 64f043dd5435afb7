"""What a kind of tokenizer owes, and which kinds there are.

`tokenization` and `offsets` are what others use; they do what all kinds have in
common, simplified Chinese and words, and ask one of these for the tokens.
"""

from collections.abc import Callable
from importlib import metadata
from typing import Any, Protocol

import numpy as np

from text import byte_pieces, normalization, sentence_piece, wordpiece
from text.vocab import Vocabulary


class Pieces(Protocol):
    """Makes tokens of lines of text.

    The tokens of all lines stand one behind another: those of line i are
    `[starts[i] : starts[i + 1]]`.
    """

    def tokenize(
        self, text: str, unknown: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns (ids int32 [tokens], starts int64 [lines + 1]).

        Args:
            text: lines with `\\n` between them; a last one may be empty.
            unknown: int64 [code points]: grows by the characters because of
                which tokens are [UNK].
        """
        ...

    def tokenize_with_places(
        self, text: str
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Returns (ids, starts, begins int [tokens], ends int [tokens]).

        A token is made of the characters `text[begin:end]`, or of none of
        them; both ascend.
        """
        ...


class WordPieces:
    """WordPiece as google-research/bert has it; see `Pieces`."""

    def __init__(self, vocabulary: Vocabulary, do_lower_case: bool):
        self._normalizer = normalization.Normalizer(do_lower_case)
        self._trie = wordpiece.compile_trie(vocabulary)

    def tokenize(
        self, text: str, unknown: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        codes = self._normalizer.code_points(text)
        ids, starts = wordpiece.tokenize(codes, self._trie)
        if unknown is not None:
            wordpiece.count_unknown(codes, ids, starts, self._trie, unknown)
        return ids, starts

    def tokenize_with_places(
        self, text: str
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        codes, begins, ends = self._normalizer.code_points_and_spans(text)
        ids, starts, bounds = wordpiece.tokenize_with_bounds(codes, self._trie)
        return ids, starts, begins[bounds[:, 0]], ends[bounds[:, 1] - 1]


KINDS: dict[str, Callable[[Any, bool], Pieces]] = {
    "wordpiece": WordPieces,
    "sentencepiece": sentence_piece.Pieces,
    "byte_pairs": byte_pieces.Pieces,
}


def version(vocabulary: Vocabulary) -> str:
    """Returns the kind and the version of the library that makes its tokens.

    Nothing where no library does.
    """
    library = vocabulary.library
    if not library:
        return ""
    return f"{vocabulary.kind}, {library} {metadata.version(library)}"


def make(vocabulary: Vocabulary, do_lower_case: bool) -> Pieces:
    """Returns what makes tokens of the rows of a vocabulary."""
    return KINDS[vocabulary.kind](vocabulary, do_lower_case)
