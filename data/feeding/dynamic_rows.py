"""Parses records without masks, and cuts long ones to a shorter length.

A record of --pair_task=none that is longer than --max_seq_length gives one
window of it, with a [CLS] and a [SEP] of its own. The windows lie evenly over
the record and cover it, with as little overlap as that takes. Here are 7 tokens
of text, and windows of 3 (--max_seq_length=5):

    record      [CLS] a b c d e f g [SEP]
    windows     a b c | c d e | e f g        they begin at 0, 2, 4 of the text
    rows        [CLS] c d e [SEP]            window 1

Each epoch takes the next window of a record, from one on that a hash of the
record decides. So a record is one sequence whatever the length: its number in
the run says which, nothing is padded, and after as many epochs as a record has
windows (5 for 126 tokens in windows of 30) each of its tokens was in one.

Shapes: B records, R tokens of the longest record, L = max_seq_length.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from data import records

_NUM_SPECIAL = 2  # [CLS] and [SEP]
_NUM_HASHES = 1 << 30


class Rows(NamedTuple):
    """Records as they were built, in rows of one length."""

    ids: tf.Tensor  # int32 [B, L], the padding id where there is no token
    word_starts: tf.Tensor  # bool [B, L]
    num_tokens: tf.Tensor  # int32 [B, 1]
    num_first: tf.Tensor  # int32 [B, 1]: tokens of `[CLS] A [SEP]`
    labels: tf.Tensor  # int32 [B]


def _column(feature):
    if feature.kind == "bytes":
        return tf.io.FixedLenFeature([], tf.string)
    if feature.length is None:
        return tf.io.RaggedFeature(tf.int64)
    return tf.io.FixedLenFeature([], tf.int64)


_SPEC = {feature.name: _column(feature) for feature in records.DYNAMIC_FEATURES}
_BARE_SPEC = {
    feature.name: tf.io.RaggedFeature(tf.int64)
    for feature in records.BARE_FEATURES
}


def parse(serialized: tf.Tensor, length: int, padding_id: int = 0) -> Rows:
    """Parses records of `records.DYNAMIC_FEATURES`, string [B].

    Args:
        serialized: the records; a longer one than `length` is an error.
        length: L.
        padding_id: what stands behind the tokens of a record.
    """
    parsed = tf.io.parse_example(serialized, _SPEC)
    ids = parsed["input_ids"]
    num_tokens = ids.row_lengths()
    tf.debugging.assert_less_equal(
        num_tokens,
        length,
        f"a record has more tokens than --max_seq_length={length}; set "
        "--max_seq_length to what the records were built with",
    )
    shape = (serialized.shape[0], length)
    ids = ids.to_tensor(padding_id, shape=(None, length))
    ids = tf.ensure_shape(ids, shape)
    num_bytes = -(-length // 8)
    packed = tf.io.decode_raw(
        parsed["word_starts"], tf.uint8, fixed_length=num_bytes
    )
    bits = tf.bitwise.right_shift(
        packed[:, :, None], np.arange(8, dtype=np.uint8)
    )
    bits = tf.reshape(bits & 1, (-1, 8 * num_bytes))[:, :length]

    num_first = tf.cast(parsed["first_segment_tokens"], tf.int32)
    return Rows(
        tf.cast(ids, tf.int32),
        tf.ensure_shape(tf.cast(bits, tf.bool), shape),
        tf.cast(num_tokens, tf.int32)[:, None],
        num_first[:, None],
        tf.cast(parsed["next_sentence_labels"], tf.int32),
    )


def parse_bare(serialized: tf.Tensor, length: int, padding_id: int) -> Rows:
    """Parses records of `records.BARE_FEATURES`, as `parse` does its own."""
    parsed = tf.io.parse_example(serialized, _BARE_SPEC)
    shape = (serialized.shape[0], length)
    rows = [parsed[feature.name] for feature in records.BARE_FEATURES]
    rows = [x.to_tensor(0, shape=(None, length)) for x in rows]
    ids, mask, segments = (
        tf.ensure_shape(tf.cast(x, tf.int32), shape) for x in rows
    )
    is_token = mask > 0
    is_first = is_token & (segments == 0)
    return Rows(
        tf.where(is_token, ids, padding_id),
        tf.ones_like(is_token),
        tf.reduce_sum(mask, axis=1, keepdims=True),
        tf.reduce_sum(tf.cast(is_first, tf.int32), axis=1, keepdims=True),
        tf.zeros_like(mask[:, 0]),
    )


def parse_windows(
    serialized: tf.Tensor,
    epoch: tf.Tensor,
    longest: int,
    length: int,
    padding_id: int = 0,
) -> Rows:
    """Parses records of one segment, and takes a window of each.

    Args:
        serialized: string [B].
        epoch: int64 [B]: that in which each record is read.
        longest: R.
        length: L, at least 3.
        padding_id: as `parse` takes it.
    """
    rows = parse(serialized, longest, padding_id)
    # The same in all epochs, and as good as random among the records.
    turn = epoch + tf.strings.to_hash_bucket_fast(serialized, _NUM_HASHES)
    size = length - _NUM_SPECIAL
    num_text = rows.num_tokens - _NUM_SPECIAL
    num_windows = tf.maximum(-(-num_text // size), 1)
    window = tf.cast(turn[:, None] % tf.cast(num_windows, tf.int64), tf.int32)
    # From 0 to the last one, which ends with the text, in even steps.
    beyond = tf.maximum(num_text - size, 0)
    first = beyond * window // tf.maximum(num_windows - 1, 1)
    num_tokens = tf.minimum(num_text, size) + _NUM_SPECIAL
    position = tf.range(length)[None]
    is_last = position == num_tokens - 1
    source = tf.where(is_last, rows.num_tokens - 1, first + position)
    # [CLS] stands at 0, the [SEP] of the record behind its text.
    source = tf.where(position == 0, 0, source)
    is_token = position < num_tokens
    source = tf.where(is_token, source, 0)
    ids = tf.gather(rows.ids, source, batch_dims=1)
    word_starts = tf.gather(rows.word_starts, source, batch_dims=1)
    shape = (serialized.shape[0], length)
    return Rows(
        tf.ensure_shape(tf.where(is_token, ids, padding_id), shape),
        tf.ensure_shape(word_starts & is_token, shape),
        num_tokens,
        num_tokens,
        rows.labels,
    )
