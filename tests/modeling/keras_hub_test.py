"""The forward pass equals an independent implementation's, KerasHub's."""

import numpy as np
import pytest
from keras import ops

from modeling import activations, bert, heads, initializers
from tests import tiny

keras_hub = pytest.importorskip("keras_hub")


@pytest.fixture(scope="module")
def ours():
    # Wide weights, so that errors are not hidden by small values.
    initializer = initializers.TruncatedNormal(0.2, seed=3)
    encoder = bert.BertEncoder(tiny.config(), initializer)
    masked_lm = heads.PretrainingHeads(tiny.config(), initializer)
    encoder.build()
    masked_lm.build()
    rng = np.random.default_rng(1)
    for weight in encoder.weights + masked_lm.weights:
        if len(weight.shape) == 1:
            weight.assign(weight + 0.1 * rng.normal(size=weight.shape))
    return encoder, masked_lm


def _keras_hub_weights(by_path):
    """Our arrays in the order of `BertBackbone.weights`."""
    width, num_heads = tiny.WIDTH, tiny.CONFIG["num_attention_heads"]
    head_width = width // num_heads

    def layer(i):
        prefix = f"bert/encoder/layer_{i}/"
        for part in ("query", "key", "value"):
            name = f"{prefix}attention/self/{part}/"
            yield by_path[name + "kernel"].reshape(width, num_heads, head_width)
            yield by_path[name + "bias"].reshape(num_heads, head_width)
        name = prefix + "attention/output/"
        kernel = by_path[name + "dense/kernel"]
        yield kernel.reshape(num_heads, head_width, width)
        yield by_path[name + "dense/bias"]
        for part in (
            "attention/output/LayerNorm/gamma",
            "attention/output/LayerNorm/beta",
            "output/LayerNorm/gamma",
            "output/LayerNorm/beta",
            "intermediate/dense/kernel",
            "intermediate/dense/bias",
            "output/dense/kernel",
            "output/dense/bias",
        ):
            yield by_path[prefix + part]

    return (
        [
            by_path[f"bert/embeddings/{name}"]
            for name in (
                "word_embeddings",
                "position_embeddings",
                "token_type_embeddings",
                "LayerNorm/gamma",
                "LayerNorm/beta",
            )
        ]
        + [array for i in range(2) for array in layer(i)]
        + [
            by_path["bert/pooler/dense/kernel"],
            by_path["bert/pooler/dense/bias"],
        ]
    )


@pytest.fixture(scope="module")
def theirs(ours):
    by_path = {w.path: w.numpy() for w in ours[0].weights}
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=tiny.VOCAB_SIZE,
        num_layers=2,
        num_heads=4,
        hidden_dim=tiny.WIDTH,
        intermediate_dim=64,
        max_sequence_length=tiny.NUM_TOKENS,
    )
    backbone.set_weights(_keras_hub_weights(by_path))
    return backbone


def _encode_both(ours, theirs, batch):
    encoded = ours[0](
        batch["input_ids"], batch["input_mask"], batch["segment_ids"]
    )
    return encoded, theirs(
        {
            "token_ids": batch["input_ids"],
            "segment_ids": batch["segment_ids"],
            "padding_mask": batch["input_mask"],
        }
    )


def test_the_encoder_equals_keras_hubs(ours, theirs):
    batch = tiny.batch(6)
    our_outputs, their_outputs = _encode_both(ours, theirs, batch)
    real = batch["input_mask"].astype(bool)
    _assert_close(
        ops.convert_to_numpy(our_outputs.sequence_output)[real],
        ops.convert_to_numpy(their_outputs["sequence_output"])[real],
    )
    _assert_close(our_outputs.pooled_output, their_outputs["pooled_output"])


def test_the_masked_lm_head_equals_keras_hubs(ours, theirs):
    encoder, pretraining_heads = ours
    masked_lm = pretraining_heads.masked_lm
    batch = tiny.batch(6)
    our_outputs, their_outputs = _encode_both(ours, theirs, batch)
    positions = batch["masked_lm_positions"]
    head = keras_hub.layers.MaskedLMHead(
        vocabulary_size=tiny.VOCAB_SIZE,
        token_embedding=theirs.token_embedding,
        intermediate_activation=activations.gelu,
        layer_norm_epsilon=1e-12,
    )
    sequence = their_outputs["sequence_output"]
    head.build(sequence.shape)
    values = {
        "output_bias": masked_lm.output_bias,
        "intermediate_dense/kernel": masked_lm.dense.kernel,
        "intermediate_dense/bias": masked_lm.dense.bias,
        "intermediate_layer_norm/gamma": masked_lm.layer_norm.gamma,
        "intermediate_layer_norm/beta": masked_lm.layer_norm.beta,
    }
    for weight in head.weights:
        for name, value in values.items():
            if weight.path.endswith(name):
                weight.assign(value)
    logits, _ = pretraining_heads(
        our_outputs, positions, encoder.embeddings.word_embeddings
    )
    _assert_close(logits, head(sequence, mask_positions=positions))


def test_padding_changes_nothing(ours):
    encoder, _ = ours
    batch = {name: value[:1] for name, value in tiny.batch(1).items()}
    length = int(batch["input_mask"].sum())
    names = ("input_ids", "input_mask", "segment_ids")
    padded = encoder(*(batch[name] for name in names))
    cut = encoder(*(batch[name][:, :length] for name in names))
    _assert_close(padded.pooled_output, cut.pooled_output)


def _assert_close(ours, theirs):
    np.testing.assert_allclose(
        ops.convert_to_numpy(ours), ops.convert_to_numpy(theirs), atol=1e-5
    )
