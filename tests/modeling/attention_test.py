"""Attention against its plain formula, differentiated by TensorFlow."""

import numpy as np
import pytest
import tensorflow as tf

from modeling import attention, dropout
from tests import tiny

_B, _H, _T, _D = 2, 3, 24, 8
_PRODUCTS = {"MatMul", "BatchMatMulV2", "BatchMatMulV3"}


@pytest.fixture(scope="module")
def inputs():
    rng = np.random.default_rng(0)
    return [
        tf.constant(rng.normal(size=(_B, _H, _T, _D)), tf.float32)
        for _ in range(4)
    ]


def _bias(is_packed):
    hidden = np.random.default_rng(1).random((_B, 1, _T, _T)) < 0.3
    hidden[..., 0] = False
    return tf.constant(
        np.where(hidden if is_packed else hidden[:, :, :1], -1e4, 0.0),
        tf.float32,
    )


def _drop(rate, dtype="float32"):
    layer = dropout.Dropout(rate, dtype=dtype, name="dropout")
    return lambda x, is_transposed: layer(
        x, seed=tf.constant(7), is_transposed=is_transposed
    )


def _plain(query, key, value, bias, drop):
    scores = tf.matmul(query, key, transpose_b=True)
    weights = tf.nn.softmax(tf.cast(scores, tf.float32) + bias)
    return tf.matmul(drop(tf.cast(weights, query.dtype), False), value)


def _with_gradients(attend, inputs, bias, drop):
    *inputs, upstream = inputs
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        mixed = attend(*inputs, bias, drop)
    return [mixed, *tape.gradient(mixed, inputs, upstream)]


@pytest.mark.parametrize("jit_compile", [None, True])
@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize("rate", [0.0, 0.3])
def test_result_and_gradients_are_those_of_the_plain_formula(
    inputs, rate, is_packed, jit_compile
):
    settings = (inputs, _bias(is_packed), _drop(rate))
    ours = tf.function(_with_gradients, jit_compile=jit_compile)(
        attention.attend, *settings
    )
    for one, other in zip(
        ours, _with_gradients(_plain, *settings), strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("dtype", tiny.LOW_PRECISIONS)
def test_low_precision_is_about_as_near_as_the_plain_formula(inputs, dtype):
    bias, drop = _bias(False), _drop(0.1, dtype)
    exact = _with_gradients(_plain, inputs, bias, _drop(0.1))
    low = [tf.cast(x, dtype) for x in inputs]
    ours = _with_gradients(attention.attend, low, bias, drop)
    plain = _with_gradients(_plain, low, bias, drop)
    for wanted, one, other in zip(exact, ours, plain, strict=True):
        assert one.dtype == dtype

        def error(found, wanted=wanted):
            return np.abs(tf.cast(found, tf.float32) - wanted).mean()

        assert error(one) < 2 * error(other)


def test_large_scores_do_not_overflow(inputs):
    query, *others = inputs
    found = _with_gradients(
        attention.attend, [query * 1e4, *others], _bias(False), _drop(0.1)
    )
    assert all(np.isfinite(x).all() for x in found)


def test_the_backward_pass_takes_no_weights_of_the_forward_pass(inputs):
    bias, drop = _bias(False), _drop(0.1)

    def squares_taken(attend):
        """Arrays [.., T, T] that gradients take from the forward pass."""

        @tf.function
        def step(query, key, value, upstream):
            graph = tf.compat.v1.get_default_graph()
            with tf.GradientTape() as tape:
                tape.watch([query, key, value])
                mixed = attend(query, key, value, bias, drop)
            forward = {tensor.name for tensor in _outputs(graph)}
            found = tape.gradient(mixed, [query, key, value], upstream)
            taken.extend(
                tensor.name
                for operation in graph.get_operations()
                if not {t.name for t in operation.outputs} <= forward
                for tensor in operation.inputs
                if tensor.name in forward and tensor.shape[-2:] == (_T, _T)
            )
            return found

        taken = []
        step.get_concrete_function(*inputs)
        return taken

    assert not squares_taken(attention.attend)
    assert squares_taken(_plain)


def test_no_score_is_computed_again_before_the_gradient_is_there(inputs):
    bias, drop = _bias(False), _drop(0.1)

    @tf.function
    def step(query, key, value, upstream):
        with tf.GradientTape() as tape:
            tape.watch([query, key, value])
            mixed = attention.attend(query, key, value, bias, drop)
        graph = tf.compat.v1.get_default_graph()
        forward = {operation.name for operation in graph.get_operations()}
        found = tape.gradient(mixed, [query, key, value], upstream)
        waiting = {upstream.name}
        for operation in graph.get_operations():
            if any(tensor.name in waiting for tensor in operation.inputs):
                waiting |= {tensor.name for tensor in operation.outputs}
            elif operation.name not in forward and operation.type in _PRODUCTS:
                early.append(operation.name)
        return found

    early = []
    step.get_concrete_function(*inputs)
    assert not early


def test_a_gradient_that_is_no_number_leaves_none(inputs):
    *inputs, upstream = inputs
    where = np.zeros(upstream.shape, bool)
    where[0, 0, 0, 0] = True
    spoiled = tf.where(where, np.nan, upstream)
    found = _with_gradients(
        attention.attend, [*inputs, spoiled], _bias(False), _drop(0.1)
    )
    assert all(np.isnan(x).any() for x in found[1:])


def _outputs(graph):
    for operation in graph.get_operations():
        yield from operation.outputs
