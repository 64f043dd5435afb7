"""Declares what a record holds, once: all that read or write it look here.

The features are those of google-research/bert's create_pretraining_data.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

SEQUENCE = "max_seq_length"
PREDICTIONS = "max_predictions_per_seq"
SEQUENCES = "pack_sequences"


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


# With --pack_sequences=N: up to N sequences, one behind another, then padding.
# `input_mask` is the number of the sequence that a token is of: 1, 2, ... or 0
# for padding. What is said of masks is said of all the record, their positions
# too. The rest says of each sequence where its [CLS] is, its label, and 1; and
# thrice 0 where there are fewer than N. A sequence, taken out, is a record as
# above.
PACKED_FEATURES = (
    Feature("input_ids", SEQUENCE),
    Feature("input_mask", SEQUENCE),
    Feature("segment_ids", SEQUENCE),
    Feature("masked_lm_positions", PREDICTIONS),
    Feature("masked_lm_ids", PREDICTIONS),
    Feature("masked_lm_weights", PREDICTIONS, "float32"),
    Feature("next_sentence_positions", SEQUENCES),
    Feature("next_sentence_labels", SEQUENCES),
    Feature("next_sentence_weights", SEQUENCES, "float32"),
)


# google-research/electra's, padded and without masks: the first three of
# `PRETRAINING_FEATURES`. Every token counts as a word of its own.
BARE_FEATURES = PRETRAINING_FEATURES[:3]

# What tf-models' create_pretraining_data calls features, with
# --use_v2_feature_names: {ours: theirs}.
V2_NAMES = {"input_ids": "input_word_ids", "segment_ids": "input_type_ids"}
PAIR_LABELS = "next_sentence_labels"


def parse_fn(
    max_seq_length: int,
    max_predictions_per_seq: int,
    pack_sequences: int = 0,
    *,
    is_v2: bool = False,
    has_pairs: bool = True,
) -> Callable[[Any], dict[str, Any]]:
    """Returns a parser of serialized records, for `Dataset.batch(B).map`.

    It maps string [B] to {name: int32 or float32 [B, length]}; a feature of
    length 1 comes as [B]. TPUs have no int64.

    Args:
        max_seq_length, max_predictions_per_seq, pack_sequences: the lengths.
        is_v2: whether the features are named as in `V2_NAMES`.
        has_pairs: whether there are labels of pairs; else they are 0.
    """
    import tensorflow as tf

    features = PACKED_FEATURES if pack_sequences else PRETRAINING_FEATURES
    lengths = {
        SEQUENCE: max_seq_length,
        PREDICTIONS: max_predictions_per_seq,
        SEQUENCES: pack_sequences,
        1: 1,
    }
    names = {
        feature.name: V2_NAMES.get(feature.name, feature.name)
        if is_v2
        else feature.name
        for feature in features
    }
    is_made_up = {PAIR_LABELS} if not has_pairs else set()
    spec = {
        names[feature.name]: tf.io.FixedLenFeature(
            [lengths[feature.length]],
            tf.as_dtype(feature.kind),
            default_value=[0] if feature.name in is_made_up else None,
        )
        for feature in features
    }

    def parse(serialized: tf.Tensor) -> dict[str, tf.Tensor]:
        values = tf.io.parse_example(serialized, spec)
        parsed = {}
        for feature in features:
            value = values[names[feature.name]]
            if feature.kind == "int64":
                value = tf.cast(value, tf.int32)
            if feature.length == 1:
                value = tf.squeeze(value, -1)
            parsed[feature.name] = value
        return parsed

    return parse
