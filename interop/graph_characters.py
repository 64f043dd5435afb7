"""What a tokenizer in a graph does to characters, by tables.

Shapes: C code points.
"""

import numpy as np
import tensorflow as tf

from interop import character_tables

_PAGE = 256
_SIGMA, _FINAL_SIGMA = 0x3A3, 0x3C2


def constant(array: np.ndarray) -> tf.Variable:
    """Returns numbers of a graph."""
    # A variable stands in the files once, whatever graphs use it.
    return tf.Variable(array, trainable=False)


class Table(tf.Module):
    """A number for each code point, in pages of which no two are the same."""

    def __init__(self, values: np.ndarray) -> None:
        super().__init__()
        pages, numbers = np.unique(
            values.reshape(-1, _PAGE), axis=0, return_inverse=True
        )
        self._values = constant(pages.reshape(-1).astype(np.int32))
        self._first = constant((numbers.reshape(-1) * _PAGE).astype(np.int32))

    def __call__(self, codes: tf.Tensor) -> tf.Tensor:
        return tf.gather(
            self._values,
            tf.gather(self._first, codes // _PAGE) + (codes % _PAGE),
        )


class Rewriting(tf.Module):
    """Puts other code points for some, as `character_tables` says."""

    def __init__(self, entries: np.ndarray, pool: np.ndarray) -> None:
        super().__init__()
        self._entries, self._pool = Table(entries), constant(pool)

    def __call__(self, codes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns (code points, int32: which of those given each is of)."""
        entries = self._entries(codes)
        is_kept = entries < 0
        lengths = tf.where(is_kept, 1, entries % character_tables.MAX_LENGTH)
        source = tf.repeat(tf.range(tf.size(codes)), lengths)
        first = tf.cumsum(lengths, exclusive=True)
        offsets = tf.range(tf.size(source)) - tf.gather(first, source)
        places = tf.gather(entries // character_tables.MAX_LENGTH, source)
        places += offsets
        is_kept = tf.gather(is_kept, source)
        rewritten = tf.where(
            is_kept,
            tf.gather(codes, source),
            tf.gather(self._pool, tf.where(is_kept, 0, places)),
        )
        return rewritten, source


class FinalSigmas(tf.Module):
    """Makes the sigmas small that end a word, before all is lower-cased.

    Args:
        beside: int32 [code points], what each is to a sigma beside it.
    """

    def __init__(self, beside: np.ndarray) -> None:
        super().__init__()
        self._beside = Table(beside)

    def __call__(self, codes: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        """Unicode, 3.13: a sigma is final after a cased letter, not before."""
        return tf.cond(
            tf.reduce_any(codes == _SIGMA),
            lambda: self._replace(codes, rows),
            lambda: codes,
        )

    def _replace(self, codes, rows):
        kinds = self._beside(codes)
        counts = tf.where(
            (kinds == character_tables.CASED)
            | (kinds == character_tables.OTHER)
        )[:, 0]
        is_cased = tf.gather(kinds, counts) == character_tables.CASED
        row = tf.gather(rows, counts)
        is_same = is_cased[1:] & is_cased[:-1] & (row[1:] == row[:-1])
        is_after_cased = tf.concat([[False], is_same], 0)
        is_before_cased = tf.concat([is_same, [False]], 0)
        is_final = is_after_cased & ~is_before_cased
        is_final &= tf.gather(codes, counts) == _SIGMA
        places = tf.boolean_mask(counts, is_final)
        return tf.tensor_scatter_nd_update(
            codes, places[:, None], tf.fill(tf.shape(places), _FINAL_SIGMA)
        )
