"""Declares what a record holds, once: all that read or write it look here.

The features are those of google-research/bert's create_pretraining_data.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

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

# Beside static masks, by `tools.add_teacher`: in the place of each masked word
# the K likeliest of a teacher, [P, K] of uint16, or int32 of more than 65,536
# words, and their shares and that of all others, [P, K + 1] of bfloat16; all
# little-endian.
TEACHER_FEATURES = (
    Feature("teacher_words", None, "bytes"),
    Feature("teacher_shares", None, "bytes"),
)
_WORDS_OF_16_BITS = 1 << 16

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
    teacher: tuple[int, int] | None = None,
) -> Callable[[Any], dict[str, Any]]:
    """Returns a parser of serialized records, for `Dataset.batch(B).map`.

    It maps string [B] to {name: int32 or float32 [B, length]}; a feature of
    length 1 comes as [B]. TPUs have no int64.

    Args:
        max_seq_length, max_predictions_per_seq, pack_sequences: the lengths.
        is_v2: whether the features are named as in `V2_NAMES`.
        has_pairs: whether there are labels of pairs; else they are 0.
        teacher: K of `TEACHER_FEATURES` and the size of the vocabulary, for
            them to come along: int32 [B, P, K] and float32 [B, P, K + 1].
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

    if teacher:
        kinds = _teacher_kinds(teacher[1])
        spec |= {name: tf.io.FixedLenFeature([], tf.string) for name in kinds}

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
        if teacher:
            words, shares = (
                tf.reshape(
                    tf.io.decode_raw(values[name], kind),
                    (-1, max_predictions_per_seq, number),
                )
                for (name, kind), number in zip(
                    kinds.items(), (teacher[0], teacher[0] + 1), strict=True
                )
            )
            parsed["teacher_words"] = tf.cast(words, tf.int32)
            parsed["teacher_shares"] = tf.cast(
                tf.bitcast(shares, tf.bfloat16), tf.float32
            )
        return parsed

    return parse


def _teacher_kinds(vocab_size):
    """Returns {name: how its bytes are read} of `TEACHER_FEATURES`."""
    words = "uint16" if vocab_size <= _WORDS_OF_16_BITS else "int32"
    kinds = (words, "uint16")  # TensorFlow reads no bfloat16 from bytes.
    return {
        feature.name: kind
        for feature, kind in zip(TEACHER_FEATURES, kinds, strict=True)
    }


def teacher_bytes(
    words: np.ndarray, shares: np.ndarray, vocab_size: int
) -> dict[str, bytes]:
    """Returns `TEACHER_FEATURES` of a record.

    Args:
        words: [P, K] ids.
        shares: bfloat16 [P, K + 1].
        vocab_size: of the teacher's vocabulary.
    """
    names = _teacher_kinds(vocab_size)
    kinds = [f"<{np.dtype(kind).str[1:]}" for kind in names.values()]
    arrays = words.astype(kinds[0]), shares.view(np.uint16).astype(kinds[1])
    return {
        name: array.tobytes() for name, array in zip(names, arrays, strict=True)
    }
