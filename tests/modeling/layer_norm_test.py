"""Our layer norm against Keras', which TensorFlow differentiates."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from modeling import layer_norm

_WIDTH = 12


def _layers():
    layers = [
        kind(epsilon=1e-12, dtype="float32", name="LayerNorm")
        for kind in (layer_norm.LayerNorm, keras.layers.LayerNormalization)
    ]
    rng = np.random.default_rng(1)
    gamma, beta = rng.normal(1.0, 0.3, _WIDTH), rng.normal(size=_WIDTH)
    for layer in layers:
        layer.build((None, None, _WIDTH))
        layer.gamma.assign(gamma)
        layer.beta.assign(beta)
    return layers


def _with_gradients(layer, x, upstream):
    with tf.GradientTape() as tape:
        tape.watch(x)
        result = layer(x)
    sources = [x, layer.gamma.value, layer.beta.value]
    return [result, *tape.gradient(result, sources, upstream)]


@pytest.mark.parametrize("jit_compile", [None, True])
@pytest.mark.parametrize("mean", [0.0, 30.0])
def test_values_and_gradients_are_those_of_keras(jit_compile, mean):
    rng = np.random.default_rng(0)
    x = tf.constant(rng.normal(mean, 3.0, (2, 5, _WIDTH)), tf.float32)
    upstream = tf.constant(rng.normal(size=x.shape), tf.float32)
    ours, keras_own = _layers()
    run = tf.function(_with_gradients, jit_compile=jit_compile)
    for one, other in zip(
        run(ours, x, upstream),
        _with_gradients(keras_own, x, upstream),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, atol=5e-5)


def test_the_gradient_has_the_type_of_the_inputs():
    x = tf.cast(tf.random.normal((3, _WIDTH)), tf.bfloat16)
    ours, _ = _layers()
    outputs, of_x, *_ = _with_gradients(ours, x, tf.ones((3, _WIDTH)))
    assert outputs.dtype == tf.float32 and of_x.dtype == tf.bfloat16
