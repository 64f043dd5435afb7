"""Middle layers of a part of the tokens, beside layers that bar the others."""

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from modeling import families
from modeling.initializers import TruncatedNormal
from modeling.token_dropping import Dropping
from tests import tiny

_SHARE = 0.4


def _encoder(model_type="bert", num_layers=4):
    config = tiny.config(
        model_type,
        num_hidden_layers=num_layers,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    return families.make_encoder(config, TruncatedNormal(0.3, seed=2))


def _inputs(is_packed):
    batch = tiny.batch(5, seed=3)
    mask, firsts = batch["input_mask"], None
    if is_packed:
        numbers = np.where(np.arange(tiny.NUM_TOKENS) < 6, 1, 2)
        mask = (mask * numbers).astype(np.int32)
        firsts = np.tile(np.array([[0, 6]], np.int32), (5, 1))
    return batch["input_ids"], mask, batch["segment_ids"], firsts


def _draw(mask, wanted=None, share=_SHARE):
    if wanted is None:
        wanted = np.zeros((len(mask), 1), np.int32)
    return Dropping.draw(share, mask, wanted, 7)


def _barred(encoder, ids, mask, segments, firsts, dropping):
    """The same by layers of all tokens, of which some are not changed."""
    is_kept = np.zeros(mask.shape, bool)
    np.put_along_axis(is_kept, np.array(dropping.kept), True, axis=1)
    found = encoder(ids, mask, segments, firsts)
    x = found.layer_outputs[0]
    positions = None
    if firsts is not None:
        starts = np.where(mask == 2, 6, 0)
        positions = np.arange(mask.shape[1]) - starts
        positions = positions.astype(np.int32)
    stack = encoder.encoder
    around = stack.surroundings(mask, positions)
    barred = dict(around)
    bar = -1e4 * ~is_kept[:, None, None, :]
    barred["score_bias"] = np.minimum(around["score_bias"], bar)
    for layer in stack.layers[1:-1]:
        x = ops.where(is_kept[..., None], layer(x, **barred), x)
    return stack.layers[-1](x, **around)


@pytest.mark.parametrize("model_type", ["bert", "roformer", "albert"])
@pytest.mark.parametrize("is_packed", [False, True])
def test_it_is_as_if_the_others_were_not_looked_at(model_type, is_packed):
    encoder = _encoder(model_type)
    inputs = _inputs(is_packed)
    dropping = _draw(inputs[1])
    assert dropping.kept.shape == (5, 10)
    wanted = _barred(encoder, *inputs, dropping)
    found = encoder(*inputs, dropping=dropping)
    is_real = inputs[1] > 0
    np.testing.assert_allclose(
        np.array(found.sequence_output)[is_real],
        np.array(wanted)[is_real],
        atol=1e-5,
    )
    assert [x.shape[1] for x in found.layer_outputs] == [16, 10, 10, 16]


def test_the_gradient_is_that_of_a_gather():
    rng = np.random.default_rng(1)
    mask = np.ones((3, 8), np.int32)
    dropping = _draw(mask)
    x = tf.constant(rng.normal(size=(3, 8, 2)), tf.float32)
    factors = tf.constant(rng.normal(size=(3, 8, 2)), tf.float32)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        kept, others = dropping.part(x)
        found = tf.reduce_sum(tf.concat([kept**2, others**3], axis=1) * factors)
        plain = tf.gather(x, dropping.order, batch_dims=1)
        wanted = tf.reduce_sum(
            tf.concat([plain[:, :5] ** 2, plain[:, 5:] ** 3], axis=1) * factors
        )
        again = dropping.join(kept, others)
    np.testing.assert_array_equal(again, x)
    np.testing.assert_allclose(
        tape.gradient(found, x), tape.gradient(wanted, x), rtol=1e-6
    )


def test_what_is_wanted_stays_and_padding_goes_first():
    batch = tiny.batch(64, seed=4)
    mask = batch["input_mask"]
    wanted = np.c_[np.zeros(64, np.int32), batch["masked_lm_positions"]]
    kept = np.array(_draw(mask, wanted, 0.6).kept)
    assert kept.shape == (64, 6)
    for row, places in enumerate(kept):
        assert len(set(places)) == 6
        assert set(wanted[row]) <= set(places)
        assert mask[row, places].all()
    # The others are drawn: each is kept now and then.
    counts = np.bincount(kept.ravel(), minlength=8)
    assert (counts[:8] > 0).all()
    # Of another step others are kept.
    other = Dropping.draw(0.6, mask, wanted, 8)
    assert (np.array(other.kept) != kept).any()


def test_its_arithmetic_is_counted():
    encoder = _encoder()
    whole = encoder.forward_flops(16)
    assert encoder.forward_flops_dropping(16, 16) == whole
    layer = [
        encoder.forward_flops(n, 1) - encoder.forward_flops(n, 0)
        for n in (16, 10)
    ]
    found = encoder.forward_flops_dropping(16, 10)
    assert found == whole - 2 * (layer[0] - layer[1])
    assert encoder.forward_flops_dropping(16, 10, 2) == encoder.forward_flops(
        16, 2
    )
