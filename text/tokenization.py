"""Tokenizes as the models of a vocabulary's kind do.

WordPiece has the ids of google-research/bert's FullTokenizer: both of its
steps, normalization and WordPiece, are compiled loops here. Neither TensorFlow
nor its Unicode tables are needed, so that a program that only tokenizes starts
in half a second.
"""

import functools

import numpy as np

from text import normalization, pieces, segmentation, t2s
from text.vocab import Vocabulary

_is_chinese = functools.cache(normalization.is_chinese)


class Tokenizer:
    """Turns lines of text into ids."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        do_lower_case: bool = True,
        word_segmenter: str = "none",
        simplify: bool = False,
    ):
        """Compiles the vocabulary.

        Args:
            vocabulary: has the rows that tokens are.
            do_lower_case: whether the model is uncased; accents go with case.
            word_segmenter: what knows the words of Chinese text, a key of
                `segmentation.SEGMENTERS`; "none": each character is a word.
            simplify: whether traditional Chinese is made simplified before.

        Raises:
            ValueError: a segmenter's words would be lost, as tokens of this
                kind depend on what stands before a word.
        """
        if word_segmenter != "none" and not vocabulary.has_words_alone:
            raise ValueError(
                f"--word_segmenter={word_segmenter} is for WordPiece, where a "
                f"Chinese character is a token, and {vocabulary.path} is of "
                f"the kind {vocabulary.kind}"
            )
        self._is_continuation = vocabulary.is_continuation
        self._convert = t2s.to_simplified if simplify else str
        self._segment: segmentation.Segmenter | None = None
        if word_segmenter != "none":
            self._segment = segmentation.SEGMENTERS[word_segmenter]()
        self._pieces = pieces.make(vocabulary, do_lower_case)

    def tokenize(
        self, text: str, unknown: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns the ids of each line, one behind the other.

        Args:
            text: lines with `\\n` between them; a last one may be empty.
            unknown: counts of the characters because of which words are
                [UNK], see `pieces.Pieces`.

        Returns:
            (ids int32 [tokens], starts int64 [lines + 1]): the ids of line i
            are `ids[starts[i] : starts[i + 1]]`.
        """
        return self._pieces.tokenize(self._convert(text), unknown)

    def tokenize_words(
        self, text: str, unknown: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns the ids of each line and where its words begin.

        Args:
            text, unknown: as `tokenize` takes them.

        Returns:
            (ids, starts, begins): what `tokenize` returns, and bool [tokens]:
            False where a token goes on in the word of the token before it, as
            ## pieces do and what a segmenter finds in a line with Chinese.
        """
        text = self._convert(text)
        ids, starts = self._pieces.tokenize(text, unknown)
        # A ## piece goes on in its word; so do, where a segmenter says it, the
        # characters of a Chinese word, which are tokens of their own.
        begins = ~self._is_continuation[ids]
        begins[starts[:-1][np.diff(starts) > 0]] = True
        if self._segment:
            self._mark_words(text.split("\n"), ids, starts, begins)
        return ids, starts, begins

    def _mark_words(self, lines, ids, starts, begins):
        """Marks the words of the lines that have Chinese in them.

        The words are tokenized on lines of their own. A line of which this
        makes other tokens keeps the words it had: the final sigma, for one,
        depends on what stands behind its word.
        """
        words = []
        segmented = []
        for number, line in enumerate(lines):
            if any(map(_is_chinese, line)):
                first = len(words)
                words += self._segment(line)
                segmented.append((number, first, len(words)))
        word_ids, word_starts = self._pieces.tokenize("\n".join(words))
        for number, first, last in segmented:
            begin, end = starts[number], starts[number + 1]
            offsets = word_starts[first : last + 1] - word_starts[first]
            ids_of_words = word_ids[word_starts[first] : word_starts[last]]
            if np.array_equal(ids[begin:end], ids_of_words):
                # White space and characters that are deleted are words without
                # tokens: the next word begins at the same offset.
                begins[begin:end] = False
                begins[begin + offsets[offsets < end - begin]] = True
