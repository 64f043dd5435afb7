"""The update equals google-research/bert's, written out in NumPy."""

import contextlib

import keras
import numpy as np

from training import optimizer, schedules

_PATHS = (
    "bert/pooler/dense/kernel",
    "bert/pooler/dense/bias",
    "bert/embeddings/LayerNorm/gamma",
    "cls/seq_relationship/output_weights",
    "cls/seq_relationship/output_bias",
)
_DECAYED = {_PATHS[0], _PATHS[3]}


def _variables(rng):
    return [_variable(path, rng) for path in _PATHS]


def _variable(path, rng):
    *scopes, name = path.split("/")
    with contextlib.ExitStack() as stack:
        for scope in scopes:
            stack.enter_context(keras.name_scope(scope))
        return keras.Variable(
            rng.normal(size=(3, 2)), dtype="float32", name=name
        )


def test_100_updates_equal_google_research_berts():
    rng = np.random.default_rng(1)
    variables = _variables(rng)
    schedule = schedules.WarmupThenLinear(
        peak=0.1, num_train_steps=100, num_warmup_steps=10
    )
    adam = optimizer.AdamWeightDecay(schedule)
    adam.build(variables)
    w = [v.numpy().astype(np.float64) for v in variables]
    m = [np.zeros_like(x) for x in w]
    v = [np.zeros_like(x) for x in w]
    for step in range(100):
        gradients = [rng.normal(size=x.shape).astype(np.float32) for x in w]
        adam.apply(
            [keras.ops.convert_to_tensor(g) for g in gradients], variables
        )
        rate = 0.1 * (step / 10 if step < 10 else 1 - step / 100)
        for i, g in enumerate(gradients):
            m[i] = 0.9 * m[i] + 0.1 * g
            v[i] = 0.999 * v[i] + 0.001 * g**2
            update = m[i] / (np.sqrt(v[i]) + 1e-6)
            if variables[i].path in _DECAYED:
                update += 0.01 * w[i]
            w[i] -= rate * update
    for variable, wanted in zip(variables, w, strict=True):
        np.testing.assert_allclose(variable.numpy(), wanted, atol=2e-5)
    assert int(adam.iterations) == 100


def test_slots_have_the_names_of_published_checkpoints():
    variables = _variables(np.random.default_rng(1))
    adam = optimizer.AdamWeightDecay(0.1)
    adam.build(variables)
    assert adam.slots().keys() == {
        f"{path}/{slot}" for path in _PATHS for slot in ("adam_m", "adam_v")
    }
