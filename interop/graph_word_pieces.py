"""The tokenizer as a TensorFlow graph: strings in, WordPiece ids out.

A model that is served takes its text as it comes, and this project's code is
not there. The ids are those of `text.tokenization`, whatever the text.

Nothing here is a rule of its own: what becomes of a character is asked of
`text.normalization`, how a word falls into pieces is the trie of
`text.wordpiece`, and both become tables. Two rules need the characters beside:
the Greek final sigma, and the order that Unicode gives to marks.

Shapes: B texts, C code points, W words.
"""

import tensorflow as tf

from interop import character_tables, graph_characters
from text import wordpiece
from text.vocab import Vocabulary

_SPACE = 0x20
_LINE_END = 0x0A
_MAX_RANK = 256


class Tokenizer(tf.Module):
    """Turns strings into ids.

    Args:
        vocabulary: its pieces and their ids.
        do_lower_case: whether the model is uncased.
    """

    def __init__(
        self, vocabulary: Vocabulary, do_lower_case: bool = True
    ) -> None:
        super().__init__()
        self._do_lower_case = do_lower_case
        self._unk_id = vocabulary.roles.unk
        self._rewritings = graph_characters.Rewriting(
            *character_tables.rewritings(do_lower_case)
        )
        if do_lower_case:
            self._final_sigmas = graph_characters.FinalSigmas(
                character_tables.beside_sigma()
            )
            begins_run, ranks = character_tables.orders()
            self._begins_run = graph_characters.Table(begins_run)
            self._ranks = graph_characters.Table(ranks)
        steps = character_tables.steps(wordpiece.compile_trie(vocabulary))
        self._keys = graph_characters.constant(steps.keys)
        self._nodes = graph_characters.constant(steps.nodes)
        self._ids = graph_characters.constant(steps.ids)
        self._begin, self._go_on = steps.begin, steps.go_on

    def __call__(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Returns the ids of each text, ragged int32 [B, tokens].

        Args:
            texts: strings [B] of UTF-8; bytes that are not are left out.
        """
        decoded = tf.strings.unicode_decode(texts, "UTF-8", errors="ignore")
        codes, rows = decoded.values, decoded.value_rowids()
        codes, rows = self._rewrite(codes, rows)
        ids, is_token = self._match_words(codes, rows)
        return tf.RaggedTensor.from_value_rowids(
            ids,
            tf.boolean_mask(rows, is_token),
            nrows=tf.shape(texts, tf.int64)[0],
        )

    def _rewrite(self, codes, rows):
        """Maps code points [C] and their rows [C] to those between spaces."""
        if self._do_lower_case:
            codes = self._final_sigmas(codes, rows)
        rewritten, source = self._rewritings(codes)
        if self._do_lower_case:
            runs = tf.cumsum(tf.cast(self._begins_run(codes), tf.int64)) + rows
            rewritten = self._in_order(rewritten, tf.gather(runs, source))
        return rewritten, tf.gather(rows, source)

    def _in_order(self, codes, runs):
        """Sorts the marks behind one letter by their rank, Unicode, 3.11."""
        ranks = self._ranks(codes)

        def sort():
            keys = runs * _MAX_RANK + tf.cast(ranks, tf.int64)
            return tf.gather(codes, tf.argsort(keys, stable=True))

        return tf.cond(tf.reduce_any(ranks > 0), sort, lambda: codes)

    def _match_words(self, codes, rows):
        """Returns (ids of the tokens, at which of the code points they are)."""
        is_space = (codes == _SPACE) | (codes == _LINE_END)
        kept = tf.where(~is_space)[:, 0]
        codes = tf.gather(codes, kept)
        # The words of two texts, or with a space between, do not touch.
        apart = tf.gather(rows, kept) + tf.gather(
            tf.cumsum(tf.cast(is_space, tf.int64)), kept
        )
        begins = tf.concat([[True], apart[1:] != apart[:-1]], 0)
        begins = begins[: tf.size(codes)]
        word = tf.cumsum(tf.cast(begins, tf.int32)) - 1
        starts = tf.cast(tf.where(begins)[:, 0], tf.int32)
        ends = tf.concat([starts[1:], tf.shape(codes)], 0)[: tf.size(starts)]
        found, lengths = self._longest(codes, begins, tf.gather(ends, word))
        is_piece, is_unknown = _pieces(found, lengths, starts, ends)
        is_unknown = tf.gather(is_unknown, word)
        is_token = tf.where(is_unknown, begins, is_piece)
        ids = tf.where(is_unknown, self._unk_id, found)
        is_token = tf.scatter_nd(
            kept[:, None], is_token, tf.shape(is_space, tf.int64)
        )
        return tf.boolean_mask(ids, tf.gather(is_token, kept)), is_token

    def _longest(self, codes, begins, ends):
        """The longest piece that begins at each code point of a word.

        Args:
            codes, begins, ends: [C], the code point, whether a word begins
                with it, and where its word ends.

        Returns:
            (ids [C], -1 where there is none, and lengths [C] of the pieces).
        """
        places = tf.range(tf.size(codes))

        def step(length, node, found, lengths):
            place = places + length
            code = tf.gather(codes, tf.minimum(place, tf.size(codes) - 1))
            key = tf.cast(node, tf.int64) * character_tables.NODE
            key += tf.cast(code, tf.int64)
            slot = tf.searchsorted(self._keys, key)
            is_step = (tf.gather(self._keys, slot) == key) & (place < ends)
            node = tf.where(is_step, tf.gather(self._nodes, slot), 0)
            row = tf.gather(self._ids, node)
            length += 1
            return (
                length,
                node,
                tf.where(row >= 0, row, found),
                tf.where(row >= 0, length, lengths),
            )

        _, _, found, lengths = tf.while_loop(
            lambda length, node, found, lengths: tf.reduce_any(node > 0),
            step,
            (
                0,
                tf.where(begins, self._begin, self._go_on),
                tf.fill(tf.shape(codes), -1),
                tf.zeros_like(codes),
            ),
        )
        return found, lengths


def _pieces(found, lengths, starts, ends):
    """Goes through all words at once, from piece to piece.

    Args:
        found, lengths: of `Tokenizer._longest`.
        starts, ends: int32 [W] of the words.

    Returns:
        (bool [C]: whether a piece begins here, bool [W]: the word is unknown).
    """

    def step(place, is_piece, is_unknown):
        is_open = (place < ends) & ~is_unknown
        here = tf.where(is_open, place, starts)
        is_piece = tf.tensor_scatter_nd_update(
            is_piece,
            tf.boolean_mask(here, is_open)[:, None],
            tf.boolean_mask(is_open, is_open),
        )
        is_unknown |= is_open & (tf.gather(found, here) < 0)
        place += tf.where(is_open, tf.gather(lengths, here), 0)
        return place, is_piece, is_unknown

    _, is_piece, is_unknown = tf.while_loop(
        lambda place, _, unknown: tf.reduce_any((place < ends) & ~unknown),
        step,
        (
            starts,
            tf.zeros_like(found, tf.bool),
            ends - starts > wordpiece.MAX_WORD_CHARACTERS,
        ),
    )
    return is_piece, is_unknown
