"""What a record holds, declared once: the writer and the parser read it here.

The features are those of google-research/bert's create_pretraining_data. The
writer's bytes are those of a serialized `tf.train.Example` (protocol buffers
encoding) in the TFRecord framing (length, checksum, data, checksum).
"""

import dataclasses

import numba
import numpy as np

from data import crc32c
from data.instances import assemble

SEQUENCE = "max_seq_length"
PREDICTIONS = "max_predictions_per_seq"


@dataclasses.dataclass(frozen=True)
class Feature:
    """One feature of a record: its name, what sets its length, its kind."""

    name: str
    length: str | int
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


# The wire format. A tag is the field's number and its wire type 2 (a length,
# then bytes); Example.features, Features.feature, the key and the value of a
# map entry and Feature.float_list, int64_list are such fields.
_FIELD_1 = 0x0A
_FIELD_2 = 0x12
_FLOAT_LIST = 0x12
_INT64_LIST = 0x1A
_FRAME_BYTES = 16  # length 8, its checksum 4, the checksum of the data 4


def key_bytes(features=PRETRAINING_FEATURES):
    """The names as one uint8 array and where each begins, for the encoder."""
    names = [feature.name.encode() for feature in features]
    starts = np.cumsum([0] + [len(name) for name in names])
    return np.frombuffer(b"".join(names), np.uint8), starts


@numba.njit(cache=True)
def encode(corpus, recipes, mask_starts, chosen, rules, keys, key_starts):
    """Encodes instances as framed records.

    Args:
        corpus: `instances.Corpus`.
        recipes: `instances.Recipes`.
        mask_starts: int64 [N]: where each instance's masks begin.
        chosen: int64 [n]: the instances to write, in order.
        rules: `instances.Rules`.
        keys, key_starts: of `key_bytes`.

    Returns:
        uint8 [bytes]: the part of a TFRecord file.
    """
    num_predictions = rules.masking.max_predictions_per_seq
    ints = np.empty((5, max(rules.max_seq_length, num_predictions)), np.int32)
    label = np.empty(1, np.int32)
    weights = np.empty(num_predictions, np.float32)
    widest = 4 * 5 + 16 * 7 + len(keys) + _FRAME_BYTES + 16
    widest += 5 * (3 * rules.max_seq_length + 2 * num_predictions)
    widest += 4 * num_predictions
    out = np.empty(widest * len(chosen), np.uint8)
    end = 0
    for instance in chosen:
        _fill(
            corpus, recipes, mask_starts, instance, rules, ints, weights, label
        )
        begin = end + 12
        end = _write_example(
            out, begin, ints, weights, label, rules, keys, key_starts
        )
        end = _write_frame(out, begin, end)
    return out[:end].copy()


@numba.njit(cache=True)
def _fill(corpus, recipes, mask_starts, instance, rules, ints, weights, label):
    """Fills the rows of one record, in the order of PRETRAINING_FEATURES."""
    ints[:] = 0
    ids, mask, segment = ints[0], ints[1], ints[2]
    positions, labels = ints[3], ints[4]
    weights[:] = 0.0
    a, b = recipes.segments[instance]
    num_a = np.int64(recipes.lengths[instance, 0])
    num_b = np.int64(recipes.lengths[instance, 1])
    num_tokens = assemble(corpus.ids, a, a + num_a, b, b + num_b, rules, ids)
    mask[:num_tokens] = 1
    segment[num_a + 2 : num_tokens] = 1
    first = mask_starts[instance]
    for k in range(recipes.num_masks[instance]):
        position = np.int64(recipes.mask_positions[first + k])
        positions[k] = position
        labels[k] = ids[position]
        weights[k] = 1.0
        ids[position] = recipes.mask_ids[first + k]
    label[0] = recipes.is_random_next[instance]


@numba.njit(cache=True)
def _write_example(out, begin, ints, weights, label, rules, keys, key_starts):
    num_predictions = rules.masking.max_predictions_per_seq
    # The length of all features stands before them and is known after them:
    # room for the widest, closed up below.
    body = begin + 6
    end = body
    for index in range(3):
        values = ints[index, : rules.max_seq_length]
        key = keys[key_starts[index] : key_starts[index + 1]]
        end = _write_ints(out, end, key, values)
    for index in range(3, 5):
        values = ints[index, :num_predictions]
        key = keys[key_starts[index] : key_starts[index + 1]]
        end = _write_ints(out, end, key, values)
    end = _write_floats(out, end, keys[key_starts[5] : key_starts[6]], weights)
    end = _write_ints(out, end, keys[key_starts[6] : key_starts[7]], label)
    out[begin] = _FIELD_1
    start = _write_varint(out, begin + 1, end - body)
    for i in range(end - body):
        out[start + i] = out[body + i]
    return start + end - body


@numba.njit(cache=True)
def _write_ints(out, end, key, values):
    num_bytes = 0
    for value in values:
        num_bytes += _varint_bytes(value)
    end = _write_entry(out, end, key, num_bytes, _INT64_LIST)
    for value in values:
        end = _write_varint(out, end, value)
    return end


@numba.njit(cache=True)
def _write_floats(out, end, key, values):
    num_bytes = 4 * len(values)
    end = _write_entry(out, end, key, num_bytes, _FLOAT_LIST)
    out[end : end + num_bytes] = values.view(np.uint8)
    return end + num_bytes


@numba.njit(cache=True)
def _write_entry(out, end, key, num_bytes, kind):
    """Writes all of a map entry that stands before its packed values."""
    num_list = 1 + _varint_bytes(num_bytes) + num_bytes
    num_value = 1 + _varint_bytes(num_list) + num_list
    num_entry = 2 + len(key) + 1 + _varint_bytes(num_value) + num_value
    out[end] = _FIELD_1
    end = _write_varint(out, end + 1, num_entry)
    out[end] = _FIELD_1
    out[end + 1] = len(key)
    end += 2
    out[end : end + len(key)] = key
    end += len(key)
    out[end] = _FIELD_2
    end = _write_varint(out, end + 1, num_value)
    out[end] = kind
    end = _write_varint(out, end + 1, num_list)
    out[end] = _FIELD_1
    return _write_varint(out, end + 1, num_bytes)


@numba.njit(cache=True)
def _varint_bytes(value):
    num_bytes = 1
    while value >= 0x80:
        value >>= 7
        num_bytes += 1
    return num_bytes


@numba.njit(cache=True)
def _write_varint(out, end, value):
    while value >= 0x80:
        out[end] = (value & 0x7F) | 0x80
        value >>= 7
        end += 1
    out[end] = value
    return end + 1


@numba.njit(cache=True)
def _write_frame(out, begin, end):
    """Writes the length and the checksums around `out[begin:end]`."""
    _write_fixed(out, begin - 12, end - begin, 8)
    _write_fixed(out, begin - 4, crc32c.masked(out[begin - 12 : begin - 4]), 4)
    _write_fixed(out, end, crc32c.masked(out[begin:end]), 4)
    return end + 4


@numba.njit(cache=True)
def _write_fixed(out, begin, value, num_bytes):
    for i in range(num_bytes):
        out[begin + i] = (value >> (8 * i)) & 0xFF
