"""WordPiece token ids of text, equal to google-research/bert's FullTokenizer.

Neither TensorFlow nor its Unicode tables come in: both steps are compiled loops
here, so that a program that only tokenizes starts in half a second.
"""

import numpy as np

from text import normalization, segmentation, wordpiece


class Tokenizer:
    """Turns lines of text into WordPiece ids."""

    def __init__(self, vocabulary, do_lower_case=True, word_segmenter="none"):
        """Compiles the vocabulary.

        Args:
            vocabulary: a `text.vocab.Vocabulary`.
            do_lower_case: whether the model is uncased; accents go with case.
            word_segmenter: what knows the words of Chinese, see
                `segmentation`; "none": each character is a word.
        """
        self._is_continuation = vocabulary.is_continuation
        self._segment = None
        if word_segmenter != "none":
            self._segment = segmentation.load(word_segmenter)
        self._normalizer = normalization.Normalizer(do_lower_case)
        self._trie = wordpiece.compile_trie(vocabulary)

    def tokenize(self, text):
        """Returns the ids of each line, one behind the other.

        Args:
            text: lines with `\\n` between them; a last one may be empty.

        Returns:
            (ids int32 [tokens], starts int64 [lines + 1]): the ids of line i
            are `ids[starts[i] : starts[i + 1]]`.
        """
        codes = self._normalizer.code_points(text)
        return wordpiece.tokenize(codes, self._trie)

    def tokenize_words(self, text):
        """Returns the ids of each line and where its words begin.

        Returns:
            (ids, starts, begins): as `tokenize` does, and bool [tokens]: does
            a word begin with the token? Pieces that begin with ## go on, and
            so do the characters of a Chinese word that the segmenter knows.
        """
        ids, starts = self.tokenize(text)
        begins = ~self._is_continuation[ids]
        if self._segment:
            lines = text.split("\n")
            self._mark_words(lines, ids, starts, begins)
        return ids, starts, begins

    def _mark_words(self, lines, ids, starts, begins):
        """Marks the words of the lines that have Chinese in them.

        Their words are tokenized on lines of their own. Where that makes other
        tokens, as where letters of one word were cut, the line stays as it is.
        """
        words, of_lines = [], []
        for number, line in enumerate(lines):
            if any(map(normalization.is_chinese, set(line))):
                found = self._segment(line)
                of_lines.append((number, len(words), len(words) + len(found)))
                words += found
        word_ids, word_starts = self.tokenize("\n".join(words))
        for number, first, last in of_lines:
            here = slice(starts[number], starts[number + 1])
            there = slice(word_starts[first], word_starts[last])
            if np.array_equal(ids[here], word_ids[there]):
                begins[here] = False
                offsets = word_starts[first:last] - word_starts[first]
                offsets = offsets[np.diff(word_starts[first : last + 1]) > 0]
                begins[starts[number] + offsets] = True
