"""WordPiece token ids of text, equal to google-research/bert's FullTokenizer.

Neither TensorFlow nor its Unicode tables come in: both steps are compiled loops
here, so that a program that only tokenizes starts in half a second.
"""

from text import normalization, wordpiece


class Tokenizer:
    """Turns lines of text into WordPiece ids."""

    def __init__(self, vocabulary, do_lower_case=True):
        """Compiles the vocabulary.

        Args:
            vocabulary: a `text.vocab.Vocabulary`.
            do_lower_case: whether the model is uncased; accents go with case.
        """
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
