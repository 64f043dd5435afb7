"""Joining the chunks of a text equals PyTorch's operations, gradients too."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from modeling import long_texts, task_heads
from modeling.encoder import Encoded
from modeling.initializers import TruncatedNormal
from tests import tiny

_ROWS, _CHUNKS, _LENGTH = 5, 4, 6
_REAL = np.array([1, 2, 4, 3, 4])


def _inputs():
    rng = np.random.default_rng(0)
    pooled = rng.normal(size=(_ROWS, _CHUNKS, tiny.WIDTH)).astype("f4")
    is_real = (np.arange(_CHUNKS) < _REAL[:, None]).astype("f4")[..., None]
    return pooled, is_real


def _joins():
    keras.utils.set_random_seed(0)
    initializer = TruncatedNormal(0.5, 3)
    return {
        name: make(tiny.config(), initializer)
        for name, make in long_texts.JOINS.items()
    }


def _torch_join(torch, name, pooled, join):
    """Of one row, [C, W], without the chunks that are padding."""
    if name == "max":
        return torch.amax(pooled, dim=0)
    if name == "mean":
        return pooled.mean(dim=0)
    kernel, bias, query = (
        torch.tensor(x.numpy()) for x in (join.kernel, join.bias, join.query)
    )
    scores = torch.tanh(pooled @ kernel + bias) @ query
    return (torch.softmax(scores[:, 0], dim=0)[:, None] * pooled).sum(dim=0)


@pytest.mark.parametrize("name", long_texts.JOINS)
def test_values_and_gradients_are_pytorchs(name):
    torch = pytest.importorskip("torch")
    join = _joins()[name]
    pooled, is_real = _inputs()
    upstream = np.random.default_rng(1).normal(size=(_ROWS, tiny.WIDTH))
    upstream = upstream.astype("f4")
    with tf.GradientTape() as tape:
        watched = tf.Variable(pooled)
        joined = join(watched, is_real)
        total = tf.reduce_sum(joined * upstream)
    found = tape.gradient(total, watched).numpy()
    theirs = torch.tensor(pooled, requires_grad=True)
    wanted = torch.stack(
        [
            _torch_join(torch, name, theirs[row, :count], join)
            for row, count in enumerate(_REAL)
        ]
    )
    (wanted * torch.tensor(upstream)).sum().backward()
    np.testing.assert_allclose(joined, wanted.detach(), atol=1e-6)
    np.testing.assert_allclose(found, theirs.grad, atol=1e-5)


def _numpy_join(name, pooled, join):
    if name == "max":
        return pooled.max(axis=0)
    weights = np.ones((len(pooled), 1))
    if name == "attention":
        hidden = np.tanh(pooled @ join.kernel.numpy() + join.bias.numpy())
        weights = np.exp(hidden @ join.query.numpy())
    return (weights * pooled).sum(axis=0) / weights.sum()


@pytest.mark.parametrize("name", long_texts.JOINS)
def test_gradients_are_finite_differences(name):
    """The same where PyTorch is not installed."""
    join = _joins()[name]
    pooled, is_real = _inputs()
    with tf.GradientTape() as tape:
        watched = tf.Variable(pooled)
        total = tf.reduce_sum(tf.sin(join(watched, is_real)))
    found = tape.gradient(total, watched).numpy()

    def loss(values):
        rows = [
            _numpy_join(name, values[row, :count], join)
            for row, count in enumerate(_REAL)
        ]
        return np.sin(rows).sum()

    assert float(total) == pytest.approx(loss(pooled.astype("f8")), rel=1e-5)
    for row, chunk, element in ((0, 0, 3), (1, 1, 7), (3, 2, 9), (4, 0, 1)):
        step = np.zeros(pooled.shape)
        step[row, chunk, element] = 1e-5
        moved = loss(pooled + step) - loss(pooled - step)
        assert found[row, chunk, element] == pytest.approx(
            moved / 2e-5, abs=1e-4
        )
    assert not found[np.broadcast_to(is_real == 0, found.shape)].any()


@pytest.mark.parametrize("name", long_texts.JOINS)
def test_padding_may_be_anything_and_stand_anywhere(name):
    join = _joins()[name]
    pooled, is_real = _inputs()
    wanted = np.array(join(pooled, is_real))
    noise = np.where(is_real > 0, pooled, 7 * pooled[:, ::-1])
    np.testing.assert_array_equal(join(noise, is_real), wanted)
    order = np.array([2, 0, 3, 1])
    found = join(noise[:, order], is_real[:, order])
    np.testing.assert_allclose(found, wanted, atol=1e-6)


@pytest.mark.parametrize("name", long_texts.JOINS)
def test_one_chunk_is_the_plain_head_to_the_bit(name):
    pool = long_texts.Chunks(_joins()[name], _LENGTH)
    plain, head = (
        task_heads.SequenceHead(tiny.config(), TruncatedNormal(0.1, 5), 3)
        for _ in range(2)
    )
    head.pool = pool
    pooled, _ = _inputs()
    mask = np.ones((_ROWS, _LENGTH), np.int32)
    encoded = Encoded(mask, pooled[:, 0])
    batch = {"input_mask": mask}
    for seed in (None, tf.constant(3)):
        np.testing.assert_array_equal(
            head(encoded, batch, dropout_seed=seed)["logits"],
            plain(encoded, batch, dropout_seed=seed)["logits"],
        )


def test_rows_are_parted_into_chunks_and_filled_up():
    rows = np.arange(1, 21).reshape(2, 10)
    found = np.array(long_texts.chunks(rows, 4))
    assert found.tolist() == [
        [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 0, 0]],
        [[11, 12, 13, 14], [15, 16, 17, 18], [19, 20, 0, 0]],
    ]
    assert (
        np.array(long_texts.chunks(rows, 16)).tolist() == rows[:, None].tolist()
    )
