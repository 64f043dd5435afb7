"""WordPiece token ids of text, equal to google-research/bert's FullTokenizer.

The text is normalised here; tensorflow-text's FastWordpieceTokenizer finds the
pieces (Song et al. 2021, Fast WordPiece Tokenization). Its own idea of which
characters part words comes from other Unicode tables than Python's: the few
that it would split at, inside a word, are disguised from it.
"""

import numpy as np
import tensorflow as tf
import tensorflow_text as tf_text

from text import normalization
from text.compiled import njit

# google-research/bert, WordpieceTokenizer: a longer word is [UNK].
MAX_WORD_CHARACTERS = 200
_MAX_BYTES_PER_CHARACTER = 4
_PRIVATE_USE = range(0xE000, 0xF900)
_LINES_A_CALL = 1 << 15


class Tokenizer:
    """Turns lines of text into WordPiece ids."""

    def __init__(self, vocabulary, do_lower_case=True):
        """Compiles the vocabulary.

        Args:
            vocabulary: a `text.vocab.Vocabulary`.
            do_lower_case: whether the model is uncased; accents go with case.
        """
        self._normalizer = normalization.Normalizer(
            do_lower_case, self._disguise
        )
        in_rows = sorted(set("".join(vocabulary.rows)))
        unused = (chr(c) for c in _PRIVATE_USE if chr(c) not in in_rows)
        # What no row holds, so that a word with it is [UNK].
        self._stranger = next(unused)
        self._probe = _wordpiece(["[UNK]", self._stranger])
        plain = normalization.Normalizer(do_lower_case=False)
        in_words = [c for c in in_rows if plain.normalize(c) == c]
        self._disguises = {c: next(unused) for c in self._misread(in_words)}
        self._wordpiece = _wordpiece(self._rows(vocabulary, plain))

    def tokenize_lines(self, lines):
        """Returns the ids of each line, one behind the other.

        Args:
            lines: strings without line ends.

        Returns:
            (ids int32 [tokens], starts int64 [lines + 1]): the ids of line i
            are `ids[starts[i] : starts[i + 1]]`.
        """
        codes = self._normalizer.code_points("\n".join(lines))
        codes = _without_long_words(codes, ord(self._stranger))
        lines = codes.tobytes().decode("utf-32-le").split("\n")
        ids, num_tokens = [], [np.zeros(1, np.int64)]
        for first in range(0, len(lines), _LINES_A_CALL):
            batch = tf.constant(lines[first : first + _LINES_A_CALL])
            ragged = self._wordpiece.tokenize(batch)
            ids.append(ragged.flat_values.numpy())
            num_tokens.append(ragged.row_lengths().numpy())
        return np.concatenate(ids), np.cumsum(np.concatenate(num_tokens))

    def _rows(self, vocabulary, plain):
        """The vocabulary for the WordPiece tokenizer, disguised.

        A row that no word can match keeps its number only: some, such as a
        lone control character, would stop the tokenizer from being made.
        """
        rows = [f"[row {index}]" for index in range(len(vocabulary))]
        tokens = list(vocabulary.ids)
        readable = plain.normalize("\n".join(tokens)).replace(" ", "")
        table = str.maketrans(self._disguises)
        for token, seen in zip(tokens, readable.split("\n"), strict=True):
            if token == seen and token not in ("", "##"):
                rows[vocabulary.ids[token]] = token.translate(table)
        return rows

    def _disguise(self, rewritings):
        """Respells the characters that the WordPiece tokenizer misreads."""
        in_words = [r for r in rewritings if " " not in r and r != "\n"]
        characters = sorted(set("".join(in_words)))
        # A disguise that stands in the text is no row.
        table = dict.fromkeys(
            map(ord, self._disguises.values()), self._stranger
        )
        for c in self._misread(characters):
            table[ord(c)] = self._disguises.get(c, self._stranger)
        # What stands between spaces is to be split off, and is.
        return [r if " " in r else r.translate(table) for r in rewritings]

    def _misread(self, characters):
        """The characters that the WordPiece tokenizer splits a word at.

        It is asked, as the answer changes with its Unicode tables.
        """
        words = tf.constant([f"a{c}a" for c in characters], tf.string)
        # It knows no letter: a word that stays whole is one [UNK].
        num_pieces = self._probe.tokenize(words).row_lengths().numpy()
        return [c for c, n in zip(characters, num_pieces, strict=True) if n > 1]


def _wordpiece(rows):
    return tf_text.FastWordpieceTokenizer(
        rows,
        token_out_type=tf.int32,
        max_bytes_per_word=MAX_WORD_CHARACTERS * _MAX_BYTES_PER_CHARACTER,
        support_detokenization=False,
    )


@njit()
def _without_long_words(codes, stranger):
    """Puts `stranger` in place of each word of too many characters."""
    num_codes = 0
    start = 0
    for i in range(len(codes) + 1):
        is_end = i == len(codes) or codes[i] == 0x20 or codes[i] == 0x0A
        if is_end and num_codes - start > MAX_WORD_CHARACTERS:
            codes[start] = stranger
            num_codes = start + 1
        if i < len(codes):
            codes[num_codes] = codes[i]
            num_codes += 1
        if is_end:
            start = num_codes
    return codes[:num_codes]
