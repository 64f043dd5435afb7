"""Updates equal the published ones, written out in NumPy."""

import contextlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.training import muon_test
from training import adafactor, lamb, muon, optimizer, optimizers, schedules

_PATHS = (
    "bert/pooler/dense/kernel",
    "bert/pooler/dense/bias",
    "bert/embeddings/LayerNorm/gamma",
    "cls/seq_relationship/output_weights",
    "cls/seq_relationship/output_bias",
)
_DECAYED = {_PATHS[0], _PATHS[3]}


def make_variables(rng, paths=_PATHS):
    """Returns variables of shape [3, 2], and [3] where a path says bias."""
    return [
        variable(path, rng.normal(size=(3,) if "bias" in path else (3, 2)))
        for path in paths
    ]


def variable(path, value):
    *scopes, name = path.split("/")
    with contextlib.ExitStack() as stack:
        for scope in scopes:
            stack.enter_context(keras.name_scope(scope))
        return keras.Variable(value, dtype="float32", name=name)


def _adam(w, g, state, t, *, decay, corrects, is_lamb):
    state["m"] = 0.9 * state.get("m", 0) + 0.1 * g
    state["v"] = 0.999 * state.get("v", 0) + 0.001 * g**2
    m, v = state["m"], state["v"]
    if corrects:
        m, v = m / (1 - 0.9**t), v / (1 - 0.999**t)
    update = m / (np.sqrt(v) + 1e-6) + decay * w
    if is_lamb and decay:
        norms = np.linalg.norm(w), np.linalg.norm(update)
        update = update * (norms[0] / norms[1] if all(norms) else 1.0)
    return update


def _adafactor(w, g, state, t, *, decay):
    beta = 1 - t**-0.8
    square = g**2 + 1e-30
    if g.ndim == 1:
        v = beta * state.get("v", 0) + (1 - beta) * square
        state["v"] = v
    else:
        row = beta * state.get("row", 0) + (1 - beta) * square.sum(axis=1)
        column = beta * state.get("column", 0) + (1 - beta) * square.sum(axis=0)
        state.update(row=row, column=column)
        v = np.outer(row, column) / row.sum()
    update = g / np.sqrt(v)
    update /= max(1, np.sqrt((update**2).mean()))
    return max(1e-3, np.sqrt((w**2).mean())) * (update + decay * w)


def _muon(w, g, state, t, *, decay):
    if g.ndim == 1:
        return _adam(w, g, state, t, decay=decay, corrects=True, is_lamb=False)
    state["m"] = 0.95 * state.get("m", 0) + 0.05 * g
    return muon_test.plain(0.95 * state["m"] + 0.05 * g) + decay * w


_CASES = {
    "bert_adam": (
        optimizer.AdamWeightDecay,
        lambda *a, **k: _adam(*a, **k, corrects=False, is_lamb=False),
    ),
    "adamw": (
        lambda rate: optimizer.AdamWeightDecay(rate, bias_correction=True),
        lambda *a, **k: _adam(*a, **k, corrects=True, is_lamb=False),
    ),
    "lamb": (
        lamb.Lamb,
        lambda *a, **k: _adam(*a, **k, corrects=True, is_lamb=True),
    ),
    "lamb_uncorrected": (
        lambda rate: lamb.Lamb(rate, bias_correction=False),
        lambda *a, **k: _adam(*a, **k, corrects=False, is_lamb=True),
    ),
    "adafactor": (adafactor.Adafactor, _adafactor),
    "muon": (
        lambda rate: muon.Muon(rate, is_matrix=lambda v: len(v.shape) == 2),
        _muon,
    ),
}


def test_every_optimizer_has_its_formula_here():
    assert optimizers.OPTIMIZERS.keys() <= _CASES.keys()


@pytest.mark.parametrize("case", _CASES)
def test_100_updates_equal_the_published_ones(case):
    make, reference = _CASES[case]
    rng = np.random.default_rng(1)
    variables = make_variables(rng)
    ours = make(
        schedules.Schedule(peak=0.1, num_train_steps=100, num_warmup_steps=10)
    )
    ours.build(variables)
    w = [v.numpy().astype(np.float64) for v in variables]
    states = [{} for _ in w]
    for step in range(100):
        gradients = [rng.normal(size=x.shape).astype(np.float32) for x in w]
        ours.apply(list(map(tf.constant, gradients)), variables)
        rate = 0.1 * (step / 10 if step < 10 else 1 - step / 100)
        for i, g in enumerate(gradients):
            decay = 0.01 if variables[i].path in _DECAYED else 0.0
            w[i] -= rate * reference(
                w[i], g.astype(np.float64), states[i], step + 1, decay=decay
            )
    for ours_now, wanted in zip(variables, w, strict=True):
        np.testing.assert_allclose(ours_now.numpy(), wanted, atol=2e-5)
    assert int(ours.iterations) == 100


@pytest.mark.parametrize("case", _CASES)
def test_a_gradient_that_is_no_number_changes_nothing_but_the_step(case):
    rng = np.random.default_rng(1)
    variables = make_variables(rng)
    ours = _CASES[case][0](0.1)
    ours.build(variables)
    good = [tf.ones(v.shape) for v in variables]
    ours.apply(good, variables)
    state = variables + list(ours.slots().values())
    before = [value.numpy() for value in state]
    ours.apply([gradient * np.nan for gradient in good], variables)
    assert all(map(np.array_equal, before, [v.numpy() for v in state]))
    assert int(ours.iterations) == 2
    ours.apply([2.0 * gradient for gradient in good], variables)
    assert not any(map(np.array_equal, before, [v.numpy() for v in state]))


def test_an_empty_variable_is_moved_by_lamb_as_by_adam():
    variables = [variable(_PATHS[0], np.zeros((3, 2)))]
    ours = lamb.Lamb(0.1)
    ours.build(variables)
    ours.apply([tf.ones((3, 2))], variables)
    np.testing.assert_allclose(variables[0].numpy(), -0.1, rtol=1e-5)


@pytest.mark.parametrize("make", [optimizer.AdamWeightDecay, lamb.Lamb])
def test_slots_have_the_names_of_published_checkpoints(make):
    ours = make(0.1)
    ours.build(make_variables(np.random.default_rng(1)))
    assert ours.slots().keys() == {
        f"{path}/{slot}" for path in _PATHS for slot in ("adam_m", "adam_v")
    }


def test_adafactor_keeps_a_row_and_a_column_of_a_matrix():
    ours = adafactor.Adafactor(0.1)
    ours.build(make_variables(np.random.default_rng(1), _PATHS[:2]))
    assert {name: slot.shape for name, slot in ours.slots().items()} == {
        f"{_PATHS[0]}/adafactor_row": (3,),
        f"{_PATHS[0]}/adafactor_column": (2,),
        f"{_PATHS[1]}/adafactor_v": (3,),
    }
