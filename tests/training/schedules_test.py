"""Learning rates equal those written out in NumPy, and PyTorch's."""

import math

import numpy as np
import pytest

from training import schedules

_PEAK, _NUM_STEPS = 5e-5, 100


def _rates(num_warmup_steps, last=120, **settings):
    schedule = schedules.Schedule(
        peak=_PEAK,
        num_train_steps=_NUM_STEPS,
        num_warmup_steps=num_warmup_steps,
        **settings,
    )
    return [float(schedule(step)) for step in range(last + 1)]


def _google_share(step, num_warmup_steps, power=1):
    # tf.train.polynomial_decay to 0; then the warm-up.
    if num_warmup_steps and step < num_warmup_steps:
        return step / num_warmup_steps
    return (1 - min(step, 100) / 100) ** power


def _cosine_share(step, num_warmup_steps):
    if step < num_warmup_steps:
        return step / num_warmup_steps
    done = min((step - num_warmup_steps) / max(100 - num_warmup_steps, 1), 1)
    return (1 + math.cos(math.pi * done)) / 2


def _constant_share(step, num_warmup_steps):
    return min(step / num_warmup_steps, 1) if num_warmup_steps else 1


def _wsd_share(step, num_warmup_steps):
    if step < num_warmup_steps:
        return step / num_warmup_steps
    return 1 if step <= 80 else max(100 - step, 0) / 20


@pytest.mark.parametrize("num_warmup_steps", [0, 1, 10, 100])
@pytest.mark.parametrize(
    ("settings", "share"),
    [
        ({}, _google_share),
        (
            {"shape": "polynomial", "poly_power": 0.5},
            lambda step, warmup: _google_share(step, warmup, 0.5),
        ),
        ({"shape": "cosine"}, _cosine_share),
        ({"shape": "constant"}, _constant_share),
        ({"shape": "wsd", "wsd_decay_share": 0.2}, _wsd_share),
    ],
)
def test_every_step_has_its_rate(num_warmup_steps, settings, share):
    np.testing.assert_allclose(
        _rates(num_warmup_steps, **settings),
        [_PEAK * share(step, num_warmup_steps) for step in range(121)],
        rtol=1e-5,
        atol=1e-11,
    )


@pytest.mark.parametrize("num_warmup_steps", [0, 1, 10, 99])
def test_linear_from_peak_equals_transformers(num_warmup_steps):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=_PEAK)
    theirs = transformers.get_linear_schedule_with_warmup(
        optimizer, num_warmup_steps, _NUM_STEPS
    )
    wanted = []
    for _ in range(121):
        wanted += theirs.get_last_lr()
        optimizer.step()
        theirs.step()
    ours = _rates(num_warmup_steps, shape="linear_from_peak")
    np.testing.assert_allclose(ours, wanted, rtol=1e-5, atol=1e-11)


def test_polynomial_of_power_1_is_the_default():
    assert _rates(10, shape="polynomial") == _rates(10)


@pytest.mark.parametrize("num_warmup_steps", [1, 10, 50])
def test_one_cycle_equals_pytorchs(num_warmup_steps):
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=_PEAK,
        # PyTorch counts the steps from 0 to the last, and so its phases.
        total_steps=_NUM_STEPS + 1,
        pct_start=(num_warmup_steps + 1) / (_NUM_STEPS + 1),
        cycle_momentum=False,
    )
    wanted = []
    for _ in range(_NUM_STEPS + 1):
        wanted += theirs.get_last_lr()
        optimizer.step()
        if len(wanted) <= _NUM_STEPS:
            theirs.step()
    ours = _rates(num_warmup_steps, _NUM_STEPS, shape="one_cycle")
    np.testing.assert_allclose(ours, wanted, rtol=1e-4, atol=1e-11)


@pytest.mark.parametrize("shape", [s for s in schedules.SHAPES if "_" not in s])
def test_the_first_update_of_a_warm_up_has_rate_0(shape):
    assert _rates(2, 0, shape=shape) == [0.0]


@pytest.mark.parametrize("num_warmup_steps", [0, 1, 10, 100])
@pytest.mark.parametrize(
    "shape", ["linear", "linear_from_peak", "cosine", "constant"]
)
def test_numbers_that_are_variables_give_the_same_rates(
    shape, num_warmup_steps
):
    schedule = schedules.SetSchedule(shape)
    # Those of another run before.
    for peak, warmup in ((1.0, 5), (_PEAK, num_warmup_steps)):
        schedule.set(
            schedules.Schedule(
                peak=peak,
                num_train_steps=_NUM_STEPS,
                num_warmup_steps=warmup,
                shape=shape,
            )
        )
    found = [float(schedule(step)) for step in range(121)]
    wanted = _rates(num_warmup_steps, shape=shape)
    np.testing.assert_allclose(found, wanted, rtol=3e-7, atol=1e-15)
