"""The tokenizer as a TensorFlow graph: strings in, SentencePiece ids out.

Between ALBERT's rules on a text and on its pieces, which are tables of what
`text.unaccented` and `text.sentence_piece` do, tensorflow-text has the library.
Of its two forms this one breaks ties as the library does.

Shapes: B texts, C code points, L lines, P pieces.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from interop import character_tables, graph_characters
from text import sentence_piece
from text.sentence_piece import SentencePieces

LIBRARY = "tensorflow_text"
_SPACE, _LINE_END = 0x20, 0x0A


class Tokenizer(tf.Module):
    """Turns strings into ids.

    Args:
        vocabulary: a model, with a piece for a comma.
        do_lower_case: whether the model is uncased.
    """

    def __init__(
        self, vocabulary: SentencePieces, do_lower_case: bool = True
    ) -> None:
        super().__init__()
        # Imported here, as only texts of this kind need it.
        import tensorflow_text

        self._is_white = graph_characters.Table(character_tables.white())
        self._rewriting = graph_characters.Rewriting(
            *character_tables.unaccented_rewritings()
        )
        self._do_lower_case = do_lower_case
        if do_lower_case:
            lower, beside = character_tables.lower()
            self._lower = graph_characters.Table(lower)
            self._final_sigmas = graph_characters.FinalSigmas(beside)
        data = dict(vocabulary.files)[sentence_piece.FILE]
        self._model: Any = tensorflow_text.FastSentencepieceTokenizer(data)
        parted = sentence_piece.Pieces(vocabulary, do_lower_case).parted
        self._counts, self._pool = _of_commas(parted, len(vocabulary))

    def __call__(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Returns the ids of each text, ragged int32 [B, tokens].

        Args:
            texts: strings [B] of UTF-8; bytes that are not are left out.
        """
        decoded = tf.strings.unicode_decode(texts, "UTF-8", errors="ignore")
        is_end = tf.cast(decoded == _LINE_END, tf.int64)
        num_lines = 1 + tf.reduce_sum(is_end, axis=1)
        row_of_line = tf.repeat(tf.range(decoded.nrows()), num_lines)
        lines = decoded.value_rowids() + tf.cumsum(is_end.values)
        codes, lines = self._rewrite(decoded.values, lines)
        strings = tf.strings.unicode_encode(
            tf.RaggedTensor.from_value_rowids(
                codes, lines, nrows=tf.size(row_of_line, tf.int64)
            ),
            "UTF-8",
        )
        pieces = self._model.tokenize(strings)
        lines = tf.cast(pieces.value_rowids(), tf.int64)
        ids, source = self._part(pieces.values)
        rows = tf.gather(row_of_line, tf.gather(lines, source))
        return tf.RaggedTensor.from_value_rowids(
            ids, rows, nrows=decoded.nrows()
        )

    def _rewrite(self, codes, lines):
        """Maps code points [C] and their lines [C] to what the library sees."""
        codes, lines = self._with_single_spaces(codes, lines)
        codes, source = self._rewriting(codes)
        lines = tf.gather(lines, source)
        if self._do_lower_case:
            codes = self._lower(self._final_sigmas(codes, lines))
        return codes, lines

    def _with_single_spaces(self, codes, lines):
        """Puts a space for white space in a line, none at its ends."""
        is_white = self._is_white(codes) > 0
        kept = tf.where(~is_white)[:, 0]
        before = tf.gather(tf.cumsum(tf.cast(is_white, tf.int32)), kept)
        codes, lines = tf.gather(codes, kept), tf.gather(lines, kept)
        is_apart = (lines[1:] == lines[:-1]) & (before[1:] > before[:-1])
        has_space = tf.concat([[False], is_apart], 0)[: tf.size(codes)]
        lengths = 1 + tf.cast(has_space, tf.int32)
        source = tf.repeat(tf.range(tf.size(codes)), lengths)
        is_space = tf.concat([source[1:] == source[:-1], [False]], 0)
        is_space = is_space[: tf.size(source)]
        codes = tf.where(is_space, _SPACE, tf.gather(codes, source))
        return codes, tf.gather(lines, source)

    def _part(self, ids):
        """Returns (ids, int32 [P]: which of those given each is of)."""
        counts = tf.gather(self._counts, ids)
        source = tf.repeat(tf.range(tf.size(ids)), counts)
        first = tf.gather(tf.cumsum(counts, exclusive=True), source)
        of_source = tf.gather(ids, source)
        offsets = tf.range(tf.size(source)) - first
        return tf.gather_nd(
            self._pool, tf.stack([of_source, offsets], axis=1)
        ), source


def _of_commas(parted, num_rows):
    """What becomes of each piece: how many, int32 [V], which, [V, most]."""
    most = max(map(len, parted.values()), default=1)
    pool = np.zeros((num_rows, most), np.int32)
    pool[:, 0] = np.arange(num_rows)
    counts = np.ones(num_rows, np.int32)
    for index, ids in parted.items():
        counts[index] = len(ids)
        pool[index, : len(ids)] = ids
    return graph_characters.constant(counts), graph_characters.constant(pool)
