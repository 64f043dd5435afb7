"""Activations with a product, against what TensorFlow differentiates."""

import numpy as np
import pytest
import tensorflow as tf

from modeling import activations

_ROWS, _INNER, _OUTER = (2, 5), 7, 3


def _with_gradients(function, x, kernel, bias, upstream):
    with tf.GradientTape() as tape:
        tape.watch([x, kernel, bias])
        result = function(x, kernel, bias)
    return [result, *tape.gradient(result, [x, kernel, bias], upstream)]


def _inputs(dtype):
    rng = np.random.default_rng(0)
    shapes = (
        (*_ROWS, _INNER),
        (_INNER, _OUTER),
        (_OUTER,),
        (*_ROWS, _OUTER),
    )
    return [tf.constant(rng.normal(size=shape), dtype) for shape in shapes]


@pytest.mark.parametrize("jit_compile", [None, True])
@pytest.mark.parametrize("name", activations.ACTIVATIONS)
def test_the_gradient_is_that_of_the_activation_and_the_product(
    name, jit_compile
):
    def ours(x, kernel, bias):
        return activations.project(name, x, kernel, bias)

    def plain(x, kernel, bias):
        return tf.matmul(activations.ACTIVATIONS[name](x), kernel) + bias

    inputs = _inputs("float32")
    run = tf.function(_with_gradients, jit_compile=jit_compile)
    for one, other in zip(
        run(ours, *inputs), _with_gradients(plain, *inputs), strict=True
    ):
        np.testing.assert_allclose(one, other, atol=2e-6)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_all_gradients_are_of_the_compute_type(dtype):
    def ours(x, kernel, bias):
        return activations.project("gelu", x, kernel, bias)

    exact = _with_gradients(ours, *_inputs("float32"))
    for one, other in zip(
        _with_gradients(ours, *_inputs(dtype)), exact, strict=True
    ):
        assert one.dtype == dtype
        np.testing.assert_allclose(
            tf.cast(one, "float32"), other, atol=0.1, rtol=0.02
        )
