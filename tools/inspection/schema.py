"""Turns serialized records into arrays, or says why they are none.

Shapes: B records, L = max_seq_length, P = max_predictions_per_seq.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf
from google.protobuf import message

from data import records

STATIC, DYNAMIC = "static", "dynamic"
# --max_seq_length allows no more.
_LONGEST = 1 << 15
_LISTS = {
    "int64_list": "int64",
    "float_list": "float32",
    "bytes_list": "bytes",
    None: "no",
}


class Schema(NamedTuple):
    """What is in each record of a file."""

    masking: str  # STATIC or DYNAMIC
    max_seq_length: int  # 0: unknown.
    max_predictions_per_seq: int  # 0 where masks are drawn later.
    pack_sequences: int = 0  # Most sequences; 0: one without a number.

    @property
    def features(self) -> tuple[records.Feature, ...]:
        """What each record has, of `records`."""
        if self.masking == DYNAMIC:
            return records.DYNAMIC_FEATURES
        if self.pack_sequences:
            return records.PACKED_FEATURES
        return records.PRETRAINING_FEATURES

    def length_of(self, feature: records.Feature) -> int | None:
        """How many values a feature of `records` has; None: any number."""
        sizes = {
            records.SEQUENCE: self.max_seq_length,
            records.PREDICTIONS: self.max_predictions_per_seq,
            records.SEQUENCES: self.pack_sequences,
            1: 1,
        }
        if feature.kind == "bytes":
            return 1
        return sizes.get(feature.length)


def of_record(serialized: bytes) -> Schema | None:
    """Returns the `Schema` a record follows, or None."""
    features = _features(serialized)
    if features is None:
        return None
    if "first_segment_tokens" in features:
        return Schema(DYNAMIC, 0, 0)
    sizes = [
        features.get(name, (None, 0))[1]
        for name in (
            "input_ids",
            "masked_lm_positions",
            "next_sentence_positions",
        )
    ]
    return Schema(STATIC, *sizes)


def other_features(serialized: bytes, schema: Schema) -> list[str]:
    """Names of the features of a record that are not of its schema."""
    names = {feature.name for feature in schema.features}
    return sorted(set(_features(serialized) or ()) - names)


def _features(serialized):
    """{name: (kind, number of values)}, or None."""
    try:
        example = tf.train.Example.FromString(serialized)
    except message.DecodeError:
        return None
    found = {}
    for name, feature in example.features.feature.items():
        kind = feature.WhichOneof("kind")
        values = getattr(feature, kind).value if kind else ()
        found[name] = _LISTS[kind], len(values)
    return found


def explain(serialized: bytes, schema: Schema) -> tuple[str, str, str] | None:
    """Says why a record does not follow its schema.

    Returns:
        (rule, got, wanted), or None where it does.
    """
    features = _features(serialized)
    if features is None:
        got = f"{len(serialized)} bytes that do not parse"
        return "example", got, "a serialized tf.train.Example"
    wanted = schema.features
    missing = [f.name for f in wanted if f.name not in features]
    if missing:
        got = f"no {', '.join(missing)} among {', '.join(sorted(features))}"
        return "features", got, "all of " + ", ".join(f.name for f in wanted)
    for feature in wanted:
        kind, size = features[feature.name]
        length = schema.length_of(feature)
        if kind != feature.kind:
            got = f"{feature.name} has {kind} values"
            return "kind", got, f"{feature.kind} values"
        if length is not None and size != length:
            return "length", f"{feature.name} has {size} values", f"{length}"
        if length is None and size > _LONGEST:
            got = f"{feature.name} has {size} values"
            return "length", got, f"at most {_LONGEST}"
    return None


def parse(
    serialized: list[bytes], schema: Schema
) -> dict[str, np.ndarray] | None:
    """Returns the features of records, {name: array}, or None.

    None where a record does not follow the schema; `explain` may say why.

    Static: int64 or float32 [B, length], or [B] of one value. Dynamic:
    `input_ids` is int64 [B, any] with zeros behind and nothing beyond what
    --max_seq_length allows, `num_tokens` int64 [B] is how many there are,
    `word_starts` is an array of bytes.
    """
    spec = {feature.name: _spec(feature, schema) for feature in schema.features}
    try:
        parsed = tf.io.parse_example(serialized, spec)
    except (tf.errors.InvalidArgumentError, UnicodeDecodeError):
        # The message may quote bytes that are no text.
        return None
    arrays = {
        name: value.numpy()
        for name, value in parsed.items()
        if isinstance(value, tf.Tensor)
    }
    if schema.masking == DYNAMIC:
        rows = parsed["input_ids"]
        arrays["num_tokens"] = rows.row_lengths().numpy()
        rows = rows[:, :_LONGEST]
        num_tokens = rows.row_lengths().numpy()
        is_token = np.arange(num_tokens.max(initial=1)) < num_tokens[:, None]
        ids = np.zeros(is_token.shape, np.int64)
        ids[is_token] = rows.values.numpy()
        arrays["input_ids"] = ids
    return arrays


def _spec(feature, schema):
    length = schema.length_of(feature)
    if length is None:
        return tf.io.RaggedFeature(tf.as_dtype(feature.kind))
    kind = tf.string if feature.kind == "bytes" else feature.kind
    shape = [] if length == 1 and feature.length in (1, None) else [length]
    return tf.io.FixedLenFeature(shape, tf.as_dtype(kind))
