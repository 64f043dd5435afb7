"""What a record holds, declared once: the writer and the parser read it here.

The features are those of google-research/bert's create_pretraining_data. The
writer's bytes are those of a serialized `tf.train.Example` (protocol buffers
encoding) in the TFRecord framing (length, checksum, data, checksum).
"""

import dataclasses

import numpy as np

from data import wire
from data.instances import assemble
from text.compiled import njit

SEQUENCE = "max_seq_length"
PREDICTIONS = "max_predictions_per_seq"
_TOUCHED_AT_ONCE = 16
_INTS_A_CACHE_LINE = 16


@dataclasses.dataclass(frozen=True)
class Feature:
    """One feature of a record: its name, what sets its length, its kind.

    A length of None is the record's own; "bytes" is one string.
    """

    name: str
    length: str | int | None
    kind: str = "int64"


PRETRAINING_FEATURES = (
    Feature("input_ids", SEQUENCE),
    Feature("input_mask", SEQUENCE),
    Feature("segment_ids", SEQUENCE),
    Feature("masked_lm_positions", PREDICTIONS),
    Feature("masked_lm_ids", PREDICTIONS),
    Feature("masked_lm_weights", PREDICTIONS, "float32"),
    Feature("next_sentence_labels", 1),
)

# With --masking=dynamic: the tokens as they are, without padding. Segment A is
# what stands before `first_segment_tokens`, [CLS] and [SEP] included. Bit p % 8
# (from the lowest) of byte p // 8 of `word_starts` says whether a word begins
# at position p; it is set at [CLS] and [SEP] too.
DYNAMIC_FEATURES = (
    Feature("input_ids", None),
    Feature("word_starts", None, "bytes"),
    Feature("first_segment_tokens", 1),
    Feature("next_sentence_labels", 1),
)


def parse_fn(max_seq_length, max_predictions_per_seq):
    """Returns a parser of serialized records, for `Dataset.batch(B).map`.

    It maps string [B] to {name: int32 or float32 [B, length]}; a feature of
    length 1 comes as [B]. TPUs have no int64.
    """
    import tensorflow as tf

    lengths = {
        SEQUENCE: max_seq_length,
        PREDICTIONS: max_predictions_per_seq,
        1: 1,
    }
    spec = {
        feature.name: tf.io.FixedLenFeature(
            [lengths[feature.length]], tf.as_dtype(feature.kind)
        )
        for feature in PRETRAINING_FEATURES
    }

    def parse(serialized):
        parsed = tf.io.parse_example(serialized, spec)
        for feature in PRETRAINING_FEATURES:
            value = parsed[feature.name]
            if feature.kind == "int64":
                value = tf.cast(value, tf.int32)
            if feature.length == 1:
                value = tf.squeeze(value, -1)
            parsed[feature.name] = value
        return parsed

    return parse


class Encoder:
    """Encodes instances as records framed for a TFRecord file."""

    def __init__(self, corpus, recipes, rules):
        """Keeps what all records are made from.

        Args:
            corpus: `instances.Corpus`.
            recipes: `instances.Recipes`.
            rules: `instances.Rules`.
        """
        ends = np.cumsum(recipes.num_masks, dtype=np.int64)
        names = [feature.name.encode() for feature in PRETRAINING_FEATURES]
        self._of_all = (
            corpus,
            recipes,
            ends - recipes.num_masks,
            rules,
            tuple(np.frombuffer(name, np.uint8) for name in names),
        )
        self._widest = _widest_record(
            rules.max_seq_length, rules.masking.max_predictions_per_seq
        )
        self._out = np.empty(0, np.uint8)

    def encode(self, chosen):
        """Returns the records of the instances `chosen`, int64 [n], in order.

        The result is a view, uint8 [bytes], that the next call overwrites.
        """
        if len(self._out) < self._widest * len(chosen):
            self._out = np.empty(self._widest * len(chosen), np.uint8)
        return self._out[: _encode(*self._of_all, chosen, self._out)]


def _widest_record(max_seq_length, max_predictions_per_seq):
    """Most bytes that a record can take: a varint of an id has five."""
    names = sum(len(feature.name) for feature in PRETRAINING_FEATURES)
    headers = len(PRETRAINING_FEATURES) * 30
    ids = 5 * (max_seq_length + 2 * max_predictions_per_seq)
    others = 2 * max_seq_length + 4 * max_predictions_per_seq
    return wire.FRAME_BYTES + 6 + names + headers + ids + others


@njit()
def _encode(corpus, recipes, mask_starts, rules, keys, chosen, out):
    num_predictions = rules.masking.max_predictions_per_seq
    ids = np.empty(rules.max_seq_length, np.int32)
    positions = np.empty(num_predictions, np.int32)
    labels = np.empty(num_predictions, np.int32)
    end = 0
    for index in range(len(chosen)):
        if index % _TOUCHED_AT_ONCE == 0:
            ahead = chosen[index : index + _TOUCHED_AT_ONCE]
            # Kept, below the next record, so that the reads are not left out.
            out[end] = _touch(corpus, recipes, mask_starts, ahead)
        instance = chosen[index]
        a, b = recipes.segments[instance]
        num_a = np.int64(recipes.lengths[instance, 0])
        num_b = np.int64(recipes.lengths[instance, 1])
        num_tokens = assemble(
            corpus.ids, a, a + num_a, b, b + num_b, rules, ids
        )
        ids[num_tokens:] = 0
        positions[:] = 0
        labels[:] = 0
        num_masks = np.int64(recipes.num_masks[instance])
        first = mask_starts[instance]
        for k in range(num_masks):
            position = np.int64(recipes.mask_positions[first + k])
            positions[k] = position
            labels[k] = ids[position]
            ids[position] = recipes.mask_ids[first + k]
        begin = end + wire.FRAME_BYTES - 4
        end = _write_example(
            out,
            begin,
            keys,
            ids,
            num_tokens,
            num_a + 2,
            positions,
            labels,
            num_masks,
            recipes.is_random_next[instance],
        )
        end = wire.write_frame(out, begin, end)
    return end


@njit()
def _touch(corpus, recipes, mask_starts, chosen):
    """Reads what some instances are made from, for the waits to overlap.

    They lie all over the corpus. Read one by one while they are encoded, each
    would wait for memory by itself.
    """
    read = np.int64(0)
    for instance in chosen:
        first = mask_starts[instance]
        read += recipes.is_random_next[instance]
        if recipes.num_masks[instance]:
            read += recipes.mask_ids[first] + recipes.mask_positions[first]
    for instance in chosen:
        for k in range(2):
            start = recipes.segments[instance, k]
            end = start + np.int64(recipes.lengths[instance, k])
            for place in range(start, end, _INTS_A_CACHE_LINE):
                read += corpus.ids[place]
    return read & 0xFF


@njit()
def _write_example(
    out,
    end,
    keys,
    ids,
    num_tokens,
    num_first,
    positions,
    labels,
    num_masks,
    label,
):
    """Writes the features in the order of PRETRAINING_FEATURES."""
    num_ids = wire.packed_bytes(ids)
    num_positions = wire.packed_bytes(positions)
    num_labels = wire.packed_bytes(labels)
    num_weights = 4 * len(positions)
    num_all = wire.entry_bytes(len(keys[0]), num_ids)
    num_all += wire.entry_bytes(len(keys[1]), len(ids))
    num_all += wire.entry_bytes(len(keys[2]), len(ids))
    num_all += wire.entry_bytes(len(keys[3]), num_positions)
    num_all += wire.entry_bytes(len(keys[4]), num_labels)
    num_all += wire.entry_bytes(len(keys[5]), num_weights)
    num_all += wire.entry_bytes(len(keys[6]), 1)
    out[end] = wire.FIELD_1
    end = wire.write_varint(out, end + 1, num_all)
    end = wire.write_entry(out, end, keys[0], num_ids, wire.INT64_LIST)
    end = wire.write_packed(out, end, ids)
    end = wire.write_entry(out, end, keys[1], len(ids), wire.INT64_LIST)
    end = _write_flags(out, end, 0, num_tokens, len(ids))
    end = wire.write_entry(out, end, keys[2], len(ids), wire.INT64_LIST)
    end = _write_flags(out, end, num_first, num_tokens, len(ids))
    end = wire.write_entry(out, end, keys[3], num_positions, wire.INT64_LIST)
    end = wire.write_packed(out, end, positions)
    end = wire.write_entry(out, end, keys[4], num_labels, wire.INT64_LIST)
    end = wire.write_packed(out, end, labels)
    end = wire.write_entry(out, end, keys[5], num_weights, wire.FLOAT_LIST)
    out[end : end + num_weights] = 0
    for k in range(num_masks):
        # 1.0 in float32, little endian.
        out[end + 4 * k + 2] = 0x80
        out[end + 4 * k + 3] = 0x3F
    end += num_weights
    end = wire.write_entry(out, end, keys[6], 1, wire.INT64_LIST)
    out[end] = label
    return end + 1


@njit()
def _write_flags(out, end, first, last, num_values):
    """Writes `num_values` values, 1 in `[first, last)` and 0 elsewhere."""
    out[end : end + num_values] = 0
    out[end + first : end + last] = 1
    return end + num_values
