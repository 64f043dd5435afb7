"""A BERT small enough for tests, and batches and records for it."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from modeling import families
from training import precision

VOCAB_SIZE = 101
NUM_TOKENS = 16
NUM_PREDICTIONS = 4
WIDTH = 32

# For parametrize: what is multiplied in it in a test's own process.
LOW_PRECISIONS = [
    pytest.param(
        "bfloat16",
        marks=pytest.mark.skipif(
            precision.bfloat16_is_switched_off(),
            reason="ONEDNN_MAX_CPU_ISA takes products of bfloat16 away",
        ),
    ),
    "float16",
]

CONFIG = {
    "vocab_size": VOCAB_SIZE,
    "hidden_size": WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    "max_position_embeddings": NUM_TOKENS,
    "type_vocab_size": 2,
    "initializer_range": 0.02,
}


# What tiny models of other families than BERT have besides, or otherwise.
_OF_FAMILIES = {
    "albert": {"embedding_size": 8, "num_hidden_groups": 1},
    "electra": {"embedding_size": 8},
    "roberta": {
        "max_position_embeddings": NUM_TOKENS + 2,
        "type_vocab_size": 1,
    },
}


def config(model_type="bert", **changes):
    """Returns the config of a tiny model of a family."""
    config_class = families.FAMILIES[model_type].config
    fields = {x.name for x in dataclasses.fields(config_class)}
    values = CONFIG | _OF_FAMILIES.get(model_type, {}) | changes
    return config_class(**{k: x for k, x in values.items() if k in fields})


def batch(size, seed=0, vocab_size=VOCAB_SIZE, num_tokens=NUM_TOKENS):
    """Returns random features of `size` records of uneven lengths."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(num_tokens // 2, num_tokens + 1, size)
    mask = np.arange(num_tokens) < lengths[:, None]
    ids = rng.integers(1, vocab_size, (size, num_tokens)) * mask
    positions = np.sort(
        [rng.permutation(n - 1)[:NUM_PREDICTIONS] + 1 for n in lengths]
    )
    num_masked = rng.integers(1, NUM_PREDICTIONS + 1, size)
    weights = np.arange(NUM_PREDICTIONS) < num_masked[:, None]
    features = {
        "input_ids": ids,
        "input_mask": mask,
        "segment_ids": (np.arange(num_tokens) >= lengths[:, None] // 2) & mask,
        "masked_lm_positions": positions * weights,
        "masked_lm_ids": rng.integers(1, vocab_size, weights.shape) * weights,
        "next_sentence_labels": rng.integers(0, 2, size),
    }
    features = {name: x.astype(np.int32) for name, x in features.items()}
    return features | {"masked_lm_weights": weights.astype(np.float32)}


def write_records(
    path,
    size,
    seed=0,
    vocab_size=VOCAB_SIZE,
    compression="",
    num_tokens=NUM_TOKENS,
):
    """Writes `batch(size, seed)` as records; returns the path as a string."""
    features = batch(size, seed, vocab_size, num_tokens)
    with tf.io.TFRecordWriter(str(path), compression) as writer:
        for row in range(size):
            writer.write(_example({k: v[row] for k, v in features.items()}))
    return str(path)


def _example(features):
    def feature(value):
        value = np.atleast_1d(value)
        if value.dtype == np.float32:
            return tf.train.Feature(
                float_list=tf.train.FloatList(value=value.tolist())
            )
        return tf.train.Feature(
            int64_list=tf.train.Int64List(value=value.tolist())
        )

    return tf.train.Example(
        features=tf.train.Features(
            feature={name: feature(value) for name, value in features.items()}
        )
    ).SerializeToString()
