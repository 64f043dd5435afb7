"""Muon's updates: their singular values, which variables they are of."""

import math

import keras
import numpy as np
import pytest

from pretraining import masked_lm
from tests import tiny
from training import config, muon, optimizers

# Two of a shape, one of them lying the other way, and one of its own.
_SHAPES = ((32, 96), (48, 48), (96, 32), (32, 96))


def plain(matrix):
    """The same by NumPy, in double precision, one matrix at a time."""
    x = matrix / (np.linalg.norm(matrix) + 1e-7)
    for _ in range(5):
        gram = x @ x.T
        x = 3.4445 * x - 4.7750 * gram @ x + 2.0315 * gram @ gram @ x
    return 0.2 * math.sqrt(max(matrix.shape)) * x


def _matrices(seed=1, shapes=_SHAPES):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape).astype(np.float32) for shape in shapes]


def _singular_values(update):
    scale = 0.2 * math.sqrt(max(update.shape))
    return np.linalg.svd(update / scale, compute_uv=False)


def test_matrices_together_are_each_as_alone():
    matrices = _matrices()
    for ours, matrix in zip(
        muon.orthogonal(matrices, "float32"), matrices, strict=True
    ):
        np.testing.assert_allclose(ours, plain(matrix), atol=2e-5)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_all_directions_of_an_update_are_about_as_long(dtype):
    matrices = _matrices(2, ((32, 96), (96, 32)))
    # One direction leads by far, as in a gradient.
    matrices[0] += 5.0
    for update in muon.orthogonal(matrices, dtype):
        values = _singular_values(np.array(update))
        assert 0.5 < values.min() <= values.max() < 1.3
        # As large as Adam's numbers are in most trainings.
        rms = math.sqrt(np.square(update).mean())
        assert rms == pytest.approx(0.2, rel=0.35)


def test_a_matrix_of_zeros_does_not_move():
    (update,) = muon.orthogonal([np.zeros((2, 3), np.float32)], "float32")
    assert not np.any(update)


def _make(**changes):
    objective = masked_lm.MaskedLm(tiny.config(), use_nsp=True, seed=1)
    settings = config.OptimizerSettings(optimizer="muon", **changes)
    return optimizers.make(settings, 0.1, objective), objective


def test_only_matrices_of_the_layers_are_orthogonalised():
    made, objective = _make()
    found = {name for name in made.slots() if name.endswith("/muon_m")}
    layers = {
        f"bert/encoder/layer_{i}/{name}/kernel/muon_m"
        for i in range(2)
        for name in (
            "attention/self/query",
            "attention/self/key",
            "attention/self/value",
            "attention/output/dense",
            "intermediate/dense",
            "output/dense",
        )
    }
    assert found == layers
    num_others = len(objective.saved) - len(layers)
    assert len(made.slots()) == len(layers) + 2 * num_others


@pytest.mark.parametrize(
    ("precision", "dtype"),
    [("none", "float32"), ("float16", "float32"), ("bfloat16", "bfloat16")],
)
def test_products_are_in_bfloat16_where_the_models_are(precision, dtype):
    objective = masked_lm.MaskedLm(
        tiny.config(), use_nsp=True, seed=1, mixed_precision=precision
    )
    settings = config.OptimizerSettings(optimizer="muon")
    assert optimizers.make(settings, 0.1, objective).products == dtype


def test_an_update_may_be_of_some_variables():
    made, objective = _make()
    some = objective.saved[-40:]
    before = [variable.numpy() for variable in objective.saved]
    made.apply([keras.ops.ones(v.shape) for v in some], some)
    moved = [
        not np.array_equal(old, variable.numpy())
        for old, variable in zip(before, objective.saved, strict=True)
    ]
    assert moved == [False] * (len(moved) - 40) + [True] * 40
