"""The learning rate equals google-research/bert's, written out in NumPy."""

import numpy as np
import pytest

from training import schedules


def _google_rate(step, peak, num_train_steps, num_warmup_steps):
    # tf.train.polynomial_decay, power 1, end 0; then the warm-up.
    decayed = peak * (1 - min(step, num_train_steps) / num_train_steps)
    if num_warmup_steps and step < num_warmup_steps:
        return peak * step / num_warmup_steps
    return decayed


@pytest.mark.parametrize("num_warmup_steps", [0, 1, 10, 100])
def test_every_step_has_google_research_berts_rate(num_warmup_steps):
    schedule = schedules.WarmupThenLinear(
        peak=5e-5, num_train_steps=100, num_warmup_steps=num_warmup_steps
    )
    ours = [float(schedule(step)) for step in range(121)]
    theirs = [
        _google_rate(step, 5e-5, 100, num_warmup_steps) for step in range(121)
    ]
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-12)


def test_the_first_update_has_rate_0():
    schedule = schedules.WarmupThenLinear(
        peak=1.0, num_train_steps=10, num_warmup_steps=2
    )
    assert float(schedule(0)) == 0.0
