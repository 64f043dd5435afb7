"""RoFormer's layers know places by how far tokens are from one another."""

import json

import numpy as np
import pytest
from keras import ops

from modeling import families, rotary
from modeling.initializers import TruncatedNormal
from modeling.roformer import RoFormerConfig
from tests import tiny


def _encoder():
    return families.make_encoder(
        tiny.config("roformer"), TruncatedNormal(0.3, seed=1)
    )


def test_paths_are_those_of_bert_without_positions():
    bert = families.make_encoder(tiny.config(), "zeros")
    paths = [x.path for x in bert.weights]
    paths.remove("bert/embeddings/position_embeddings")
    assert [x.path for x in _encoder().weights] == paths


def test_a_product_depends_on_the_distance_alone():
    rng = np.random.default_rng(0)
    query, key = rng.normal(size=(2, 1, 1, 1, 8)).astype(np.float32)

    def product(place_of_query, place_of_key):
        one, other = (
            rotary.rotation(ops.convert_to_tensor([[place]]), 8).turn(x)
            for place, x in ((place_of_query, query), (place_of_key, key))
        )
        return float(ops.sum(one * other))

    near = product(3, 5)
    assert product(103, 105) == pytest.approx(near, abs=1e-4)
    assert product(0, 2) == pytest.approx(near, abs=1e-5)
    assert abs(product(5, 3) - near) > 1e-3


def test_a_packed_sequence_is_what_it_is_alone():
    encoder = _encoder()
    rng = np.random.default_rng(1)
    ids = rng.integers(1, tiny.VOCAB_SIZE, (1, 11)).astype(np.int32)
    numbers = np.array([[1] * 5 + [2] * 6], np.int32)
    zeros = np.zeros_like(ids)
    packed = encoder(ids, numbers, zeros, np.array([[0, 5]], np.int32))
    alone = encoder(ids[:, 5:], np.ones((1, 6), np.int32), zeros[:, 5:])
    np.testing.assert_allclose(
        packed.sequence_output[:, 5:], alone.sequence_output, atol=1e-5
    )


def test_half_precision_turns_by_float32():
    ids = np.arange(1, 17, dtype=np.int32)[None]
    ones = np.ones_like(ids)
    exact, rounded = (
        families.make_encoder(
            tiny.config("roformer", num_hidden_layers=1),
            TruncatedNormal(0.3, seed=1),
            dtype=dtype,
        )(ids, ones, ones * 0).sequence_output
        for dtype in ("float32", "mixed_float16")
    )
    difference = np.abs(np.asarray(exact) - np.asarray(rounded, np.float32))
    assert difference.max() < 0.02


def test_order_matters():
    encoder = _encoder()
    ids = np.arange(1, 8, dtype=np.int32)[None]
    ones = np.ones_like(ids)
    forward = encoder(ids, ones, ones * 0).sequence_output
    back = encoder(ids[:, ::-1], ones, ones * 0).sequence_output
    assert np.abs(np.asarray(forward) - np.asarray(back)[:, ::-1]).max() > 0.01


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rotary_value": True}, "rotary_value is true, this ROFORMER"),
        ({"hidden_size": 12}, "heads of an odd width"),
        ({"embedding_size": 16}, "embedding_size is 16"),
    ],
)
def test_what_is_computed_otherwise_is_refused(change, words):
    text = json.dumps(json.loads(tiny.config("roformer").to_json()) | change)
    with pytest.raises(ValueError, match=words):
        RoFormerConfig.from_json(text, "my.json")
