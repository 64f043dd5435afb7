"""Every family's encoder keeps the contract of `modeling.encoder`."""

import json

import numpy as np
import pytest
import tensorflow as tf

from modeling import families, heads
from modeling.initializers import TruncatedNormal
from tests import tiny

_FEATURES = ("input_ids", "input_mask", "segment_ids")


def _encoder(**changes):
    return families.make_encoder(
        tiny.config(**changes), TruncatedNormal(0.02, seed=1)
    )


def _batch(num_rows=3, num_tokens=9):
    rng = np.random.default_rng(1)
    shape = (num_rows, num_tokens)
    return [
        tf.constant(rng.integers(0, high, shape), tf.int32)
        for high in (tiny.VOCAB_SIZE, 2, 2)
    ]


@pytest.mark.parametrize("name", families.FAMILIES)
def test_a_config_names_its_family(name):
    text = json.dumps(json.loads(tiny.config(name).to_json()))
    config = families.read_config(text, "my.json")
    assert type(config) is families.FAMILIES[name].config
    encoder = families.make_encoder(config, "zeros")
    assert type(encoder) is families.FAMILIES[name].encoder
    assert encoder.config is config


def test_a_config_without_a_name_is_berts():
    config = families.read_config(json.dumps(tiny.CONFIG), "my.json")
    assert config == tiny.config()


@pytest.mark.parametrize("name", ["xlnet", None, ["bert"], 7])
def test_another_family_is_refused_by_name(name):
    text = json.dumps(tiny.CONFIG | {"model_type": name})
    with pytest.raises(ValueError, match="my.json: model_type is .* only"):
        families.read_config(text, "my.json")


def test_unknown_shapes_give_what_known_ones_give():
    encoder = _encoder()
    pretraining_heads = heads.PretrainingHeads(tiny.config(), "ones")
    pretraining_heads.build()
    positions = tf.constant([[0, 3], [5, 1], [8, 8]], tf.int32)

    def answer(features, positions):
        encoded = encoder(*features)
        return encoded, pretraining_heads(
            encoded, positions, encoder.word_embeddings
        )

    unknown = tf.TensorSpec([None, None], tf.int32)
    asked = tf.function(
        answer, input_signature=[[unknown] * len(_FEATURES), unknown]
    )
    for num_tokens in (9, 16):
        features = _batch(num_tokens=num_tokens)
        wanted = tf.nest.flatten(answer(features, positions))
        found = tf.nest.flatten(asked(features, positions))
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)


def test_what_is_returned_has_the_shapes_it_is_said_to_have():
    encoded = _encoder()(*_batch())
    assert encoded.sequence_output.shape == (3, 9, tiny.WIDTH)
    assert encoded.pooled_output.shape == (3, tiny.WIDTH)
    assert [x.shape for x in encoded.layer_outputs] == [(3, 9, tiny.WIDTH)] * 2
    assert encoded.embedding_output.shape == (3, 9, tiny.WIDTH)
    np.testing.assert_array_equal(
        encoded.layer_outputs[-1], encoded.sequence_output
    )
    unpooled = families.make_encoder(tiny.config(), "zeros", has_pooler=False)
    assert unpooled(*_batch()).pooled_output is None
    assert not [x for x in unpooled.weights if "pooler" in x.path]


def test_depths_grow_from_the_embeddings_to_the_heads():
    encoder = _encoder(num_hidden_layers=12)
    paths = [
        "bert/embeddings/word_embeddings",
        "bert/encoder/layer_0/output/dense/kernel",
        "bert/encoder/layer_11/attention/self/query/bias",
        "bert/pooler/dense/kernel",
        "output_weights",
    ]
    assert list(map(encoder.depth_of, paths)) == [0, 1, 12, 13, 14]
    assert encoder.head_depth == 14
    assert {encoder.depth_of(x.path) for x in encoder.weights} == {*range(14)}


@pytest.mark.parametrize(
    ("count", "depths"),
    [(0, set()), (1, {2, 3}), (2, {1, 2, 3}), (9, {1, 2, 3})],
)
def test_the_top_layers_bring_the_pooler_with_them(count, depths):
    encoder = _encoder()
    top = encoder.top_layers(count)
    assert {encoder.depth_of(x.path) for x in top} == depths
    assert len(top) == 16 * max(len(depths) - 1, 0) + 2 * bool(count)


def test_the_arithmetic_is_that_of_the_products():
    config = tiny.config()
    width, inner = config.hidden_size, config.intermediate_size
    of_token = 4 * width * width + 2 * 10 * width + 2 * width * inner
    wanted = 2 * (2 * 10 * of_token + width * width)
    assert _encoder().forward_flops(10) == wanted
