"""Draws masks in the trainer's input pipeline, new ones in every epoch.

The laws are those of `data.laws`. Nothing is drawn from a generator: bits are a
function of the seed, of the record's number in the run and of the position, so
that a run that was stopped goes on with the masks it would have had.

All rows of a batch are masked at once. Here these are whole words, at most 3 of
7 tokens:

    position        0    1     2     3    4  5    6     7
    ids           [CLS] play ##ing [SEP]  a  b  [SEP]   0
    order           7    3     1     4    0  5    6     2    random
    begins               1                1  1               words to choose

    word: the word of the lowest order is "a", then "play ##ing" just fits in
    is_masked       0    1     1     0    1  0    0     0
    sources              1     1          4                  where runs begin

    span: a run of 4 words from "a" on ends with the segment; "play ##ing" has
    two tokens, and there is room for one
    is_masked       0    0     0     0    1  1    0     0
    sources                               4  4               one choice for both

Shapes: B records, L = max_seq_length, P = max_predictions_per_seq.
Source: Liu et al. 2019, section 4.1 (dynamic masking).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from data.config import MaskingConfig
from data.feeding import dynamic_rows
from data.laws import LAWS, RUN
from data.manifest import Manifest

# The purposes of random bits: each has bits of its own.
_ORDER, _LENGTH, _CHOICE, _WORD = range(4)
_GOLDEN = 0x9E3779B97F4A7C15


class Fall(NamedTuple):
    """How the share of masked tokens goes to another one, record by record.

    It is linear in a record's number in the run, from --masked_lm_prob at
    `first_record` to `masked_lm_prob` from `last_record` on.
    """

    masked_lm_prob: float
    last_record: int
    first_record: int = 0


def parse_fn(
    masking: MaskingConfig,
    *,
    max_seq_length: int,
    manifest: Manifest,
    seed: int,
    longest: int | None = None,
    num_records: int = 1,
    fall: Fall | None = None,
    is_bare: bool = False,
) -> Callable[[tf.Tensor, tf.Tensor], dict[str, tf.Tensor]]:
    """Returns what parses and masks serialized records.

    Args:
        masking: the flags that say how to mask.
        max_seq_length: L.
        manifest: that of the records; says what their vocabulary is.
        seed: decides the masks, together with the records' numbers.
        longest: tokens of the longest record, where that is more than L;
            the records are cut then, see `dynamic_rows`.
        num_records: records of an epoch.
        fall: where the share of masked tokens changes with the numbers.
        is_bare: see `RecordFile`.

    Returns:
        A function of the records' numbers in the run, int64 [B], and of these
        records serialized, string [B]; it gives what `records.parse_fn` gives.

    Raises:
        ValueError: --mask_unit needs what only the builder has.
    """
    law = LAWS[masking.mask_unit]
    if law.takes_similar:
        raise ValueError(
            f"--mask_unit={masking.mask_unit} takes similar words, which only "
            "create_pretraining_data has: build the records with "
            f"--masking=static --mask_unit={masking.mask_unit}"
        )
    # Every builder that left the masks to the trainer has said these.
    assert manifest.vocab_size is not None and manifest.special_ids is not None
    random_ids = np.arange(manifest.vocab_size, dtype=np.int32)
    if masking.random_words == "no_specials":
        random_ids = np.setdiff1d(random_ids, manifest.special_ids)

    def parse(
        numbers: tf.Tensor, serialized: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        if longest is None or longest <= max_seq_length:
            read = dynamic_rows.parse_bare if is_bare else dynamic_rows.parse
            rows = read(serialized, max_seq_length, manifest.padding_id)
        else:
            rows = dynamic_rows.parse_windows(
                serialized,
                numbers // num_records,
                longest,
                max_seq_length,
                manifest.padding_id,
            )
        bits = _bits_fn(seed, numbers, max_seq_length)
        prob = _share(masking.masked_lm_prob, fall, numbers)
        is_masked, sources = _choose(
            masking, law, rows, bits, prob, manifest.num_between
        )
        choice = _uniform(bits(_CHOICE))
        if law.draws_for == RUN:
            choice = tf.gather(choice, sources, batch_dims=1)
        drawn = bits(_WORD) % tf.constant(len(random_ids), tf.uint64)
        drawn = tf.cast(drawn, tf.int64)
        random_words = tf.gather(tf.constant(random_ids, tf.int32), drawn)
        hidden, kept, _ = law.shares
        stand_in = tf.where(choice < hidden + kept, rows.ids, random_words)
        stand_in = tf.where(choice < hidden, manifest.mask_id, stand_in)
        masked_ids = tf.where(is_masked, stand_in, rows.ids)
        return _features(
            rows, masked_ids, is_masked, masking, manifest.second_segment
        )

    return parse


def _share(masked_lm_prob, fall, numbers):
    """The share of the tokens to mask: a number, or float64 [B, 1]."""
    if fall is None:
        return masked_lm_prob
    num_records = max(fall.last_record - fall.first_record, 1)
    passed = tf.cast(numbers - fall.first_record, tf.float64) / num_records
    passed = tf.clip_by_value(passed, 0.0, 1.0)[:, None]
    return masked_lm_prob + (fall.masked_lm_prob - masked_lm_prob) * passed


def _choose(masking, law, rows, bits, prob, num_between):
    """Chooses the tokens to mask, `prob` of them as far as there is room.

    Returns:
        (is_masked bool [B, L], sources int32 [B, L]): the latter says where
        the run begins that a masked token is part of.
    """
    position = tf.range(rows.ids.shape[1])[None]
    is_word = (position > 0) & (position < rows.num_tokens - 1)
    is_word &= position != rows.num_first - 1
    # Documents in one record have [SEP] between them, as at its end.
    sep = tf.gather(rows.ids, rows.num_tokens - 1, batch_dims=1)
    is_word &= rows.ids != sep
    # A half is rounded to the even side, as Python does.
    share = tf.cast(rows.num_tokens, tf.float64) * prob
    wanted = tf.maximum(tf.cast(tf.round(share), tf.int32), 1)
    wanted = tf.minimum(wanted, masking.max_predictions_per_seq)
    order = tf.cast(_shift_right(bits(_ORDER), 34), tf.int32)
    if law.is_single and not masking.do_whole_word_mask:
        order = tf.where(is_word, order, tf.int32.max)
        rank = tf.argsort(tf.argsort(order, stable=True))
        return is_word & (rank < wanted), position + 0 * rank
    begins = is_word
    if masking.do_whole_word_mask:
        in_b = position - rows.num_first
        is_first = (position == 1) | (in_b == num_between - 1)
        begins &= rows.word_starts | is_first
    lengths = tf.searchsorted(
        tf.constant(law.run_lengths, tf.float32),
        tf.reshape(_uniform(bits(_LENGTH)), [-1]),
        side="right",
    )
    lengths = 1 + tf.reshape(lengths, tf.shape(order))
    return _choose_runs(rows, is_word, begins, order, lengths, wanted)


def _choose_runs(rows, is_word, begins, order, lengths, wanted):
    """Masks runs of words in every row at once, a run a time.

    Each time, a row takes the first in `order` of the words that are not
    masked and find room: what found no room once never finds it again, so
    that this is the order of `data.building.masking`.

    Returns:
        As `_choose`.
    """
    num_rows, length = tf.shape(order)[0], order.shape[1]
    position = tf.range(length)[None]
    word = tf.cumsum(tf.cast(begins, tf.int32), axis=1)
    key = word + (length + 1) * tf.range(num_rows)[:, None]
    lasts = tf.math.unsorted_segment_max(
        tf.where(is_word, position, 0), key, (length + 1) * num_rows
    )
    word_end = tf.gather(lasts, key) + 1

    def can_begin(is_masked: tf.Tensor, room: tf.Tensor) -> tf.Tensor:
        return begins & ~is_masked & (word_end - position <= room)

    def mask_runs(
        is_masked: tf.Tensor,
        sources: tf.Tensor,
        room: tf.Tensor,
        may_begin: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        begin = tf.argmin(
            tf.where(may_begin, order, tf.int32.max), 1, tf.int32
        )[:, None]
        first = tf.gather(word, begin, batch_dims=1)
        last = first + tf.gather(lengths, begin, batch_dims=1)
        is_barrier = is_masked | ~is_word
        is_barrier &= position >= begin
        barrier = tf.where(is_barrier, position, length)
        chosen = (
            (position >= begin)
            & (word < last)
            & (position < tf.reduce_min(barrier, 1, keepdims=True))
            & (word_end <= begin + room)
            & tf.reduce_any(may_begin, 1, keepdims=True)
        )
        num_chosen = tf.reduce_sum(tf.cast(chosen, tf.int32), 1, keepdims=True)
        is_masked |= chosen
        room -= num_chosen
        return (
            is_masked,
            tf.where(chosen, begin, sources),
            room,
            can_begin(is_masked, room),
        )

    nothing = tf.zeros_like(begins)
    is_masked, sources, _, _ = tf.while_loop(
        lambda *state: tf.reduce_any(state[-1]),
        mask_runs,
        (nothing, tf.zeros_like(order), wanted, can_begin(nothing, wanted)),
    )
    return is_masked, sources


def _features(rows, masked_ids, is_masked, masking, second_segment):
    """Makes the features of `records.PRETRAINING_FEATURES`."""
    length = rows.ids.shape[1]
    num_predictions = masking.max_predictions_per_seq
    position = tf.range(length)[None]
    # `length - position` falls with the position, so that its largest values
    # belong to the first masked positions.
    places, _ = tf.math.top_k(
        tf.where(is_masked, length - position, 0), min(num_predictions, length)
    )
    places = tf.pad(places, [[0, 0], [0, max(num_predictions - length, 0)]])
    is_mask = places > 0
    positions = tf.where(is_mask, length - places, 0)
    labels = tf.gather(rows.ids, positions, batch_dims=1)
    is_token = position < rows.num_tokens
    return {
        "input_ids": masked_ids,
        "input_mask": tf.cast(is_token, tf.int32),
        "segment_ids": second_segment
        * tf.cast(is_token & (position >= rows.num_first), tf.int32),
        "masked_lm_positions": positions,
        "masked_lm_ids": tf.where(is_mask, labels, 0),
        "masked_lm_weights": tf.cast(is_mask, tf.float32),
        "next_sentence_labels": rows.labels,
    }


def _bits_fn(seed, numbers, length):
    """Returns a function of a purpose; it gives uint64 [B, L] random bits."""
    seed = _mix(tf.constant(seed % (1 << 64), tf.uint64))
    key = _mix(seed + tf.cast(numbers, tf.uint64) * _uint64(_GOLDEN))

    def bits(purpose: int) -> tf.Tensor:
        index = tf.range(purpose * length, (purpose + 1) * length)
        index = tf.cast(index, tf.uint64) * _uint64(_GOLDEN)
        return _mix(key[:, None] + index)

    return bits


def _mix(x):
    """Scrambles uint64s: Steele et al. 2014, SplitMix, in Stafford's mix 13."""
    x = (x ^ _shift_right(x, 30)) * _uint64(0xBF58476D1CE4E5B9)
    x = (x ^ _shift_right(x, 27)) * _uint64(0x94D049BB133111EB)
    return x ^ _shift_right(x, 31)


def _uniform(bits):
    """Makes float32 numbers in [0, 1) of random bits."""
    return tf.cast(_shift_right(bits, 40), tf.float32) * 2**-24


def _shift_right(x, num_bits):
    return tf.bitwise.right_shift(x, _uint64(num_bits))


def _uint64(value):
    return tf.constant(value, tf.uint64)
