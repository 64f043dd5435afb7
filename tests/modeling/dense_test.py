"""Written-out gradients of products, against what TensorFlow differentiates."""

import numpy as np
import pytest
import tensorflow as tf

from modeling import dense, gradient

_ROWS, _INPUTS, _OUTPUTS = (2, 5), 7, 3


def _with_gradients(function, *inputs):
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        result = function(*inputs)
    upstream = tf.reshape(tf.range(tf.size(result)), result.shape)
    upstream = tf.cast(tf.sin(tf.cast(upstream, "float32")), result.dtype)
    return [result, *tape.gradient(result, inputs, upstream)]


def _random(*shapes, dtype="float32"):
    rng = np.random.default_rng(0)
    return [tf.constant(rng.normal(size=shape), dtype) for shape in shapes]


def _affine_inputs(dtype="float32"):
    return _random(
        (*_ROWS, _INPUTS), (_INPUTS, _OUTPUTS), (_OUTPUTS,), dtype=dtype
    )


@pytest.mark.parametrize("jit_compile", [None, True])
def test_an_affine_map_has_the_gradients_of_its_formula(jit_compile):
    inputs = _affine_inputs()
    run = tf.function(_with_gradients, jit_compile=jit_compile)
    ours = run(dense.affine, *inputs)
    plain = _with_gradients(lambda x, k, b: tf.matmul(x, k) + b, *inputs)
    for one, other in zip(ours, plain, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-6)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_all_gradients_are_of_the_compute_type(dtype):
    exact = _with_gradients(dense.affine, *_affine_inputs())
    ours = _with_gradients(dense.affine, *_affine_inputs(dtype))
    for one, other in zip(ours, exact, strict=True):
        assert one.dtype == dtype
        np.testing.assert_allclose(
            tf.cast(one, "float32"), other, atol=0.1, rtol=0.02
        )


def test_the_rows_of_a_table_get_the_gradient_of_a_product():
    inputs = _random((4, _INPUTS), (9, _INPUTS))
    ours = _with_gradients(dense.times_transposed, *inputs)
    plain = _with_gradients(
        lambda x, table: tf.matmul(x, table, transpose_b=True), *inputs
    )
    for one, other in zip(ours, plain, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-6)


def test_what_waits_is_unchanged():
    x = tf.constant([[1.0, -2.0]])
    assert (gradient.after(tf.constant([0.0, np.nan]), x) == x).numpy().all()
    spoiled = gradient.after(tf.constant([np.inf]), x)
    assert np.isnan(spoiled).all()
