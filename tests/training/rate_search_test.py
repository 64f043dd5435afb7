"""A curve of the loss over the rate: its mean, its end, what it suggests."""

import numpy as np
import pytest
from scipy import signal

from training.rate_search import Curve

_RATES = np.geomspace(1e-7, 1.0, 100)


def _curve(losses):
    losses = np.asarray(losses, float)
    return Curve(_RATES[: len(losses)], losses)


def _usual():
    """Flat, then down by a logistic around 1e-4, then up from 1e-2."""
    x = np.log10(_RATES)
    return 2 - 1 / (1 + np.exp(-4 * (x + 4))) + 10 ** (2 * (x + 2))


def test_the_mean_is_an_exponential_one_that_is_corrected_for_its_start():
    losses = np.random.default_rng(1).normal(2, 0.3, 100)
    # As fastai and pandas have it, by a filter of another library.
    plain = signal.lfilter([0.1], [1, -0.9], losses)
    wanted = plain / (1 - 0.9 ** np.arange(1, 101))
    np.testing.assert_allclose(_curve(losses).smoothed, wanted, rtol=1e-12)


def test_the_steepest_place_is_where_the_loss_falls_fastest():
    losses = _usual()
    curve = _curve(losses)
    # The mean lags behind by some steps of a sixth of a decade.
    assert 1e-4 < curve.steepest() < 1e-3
    lowest = _RATES[curve.smoothed.argmin()]
    assert curve.tenth_of_minimum() == pytest.approx(lowest / 10)
    assert curve.steepest() < lowest


def test_a_loss_that_leaps_is_seen_and_a_falling_one_is_not():
    losses = _usual()
    ends = [n for n in range(1, 101) if _curve(losses[:n]).has_diverged]
    assert ends and ends[0] > losses.argmin()
    assert ends == list(range(ends[0], 101))
    assert _curve([2.0, np.nan]).has_diverged
    assert _curve([2.0, np.inf]).has_diverged
    assert not _curve([2.0, 9.0]).has_diverged


@pytest.mark.parametrize(
    "losses", [[2.0] * 50, np.linspace(1, 2, 50), [2.0, 1.0, 1.0]]
)
def test_a_loss_that_never_falls_suggests_nothing(losses):
    curve = _curve(losses)
    for suggest in (curve.steepest, curve.tenth_of_minimum):
        with pytest.raises(ValueError, match="the loss did not fall in"):
            suggest()


def test_the_first_batches_suggest_nothing():
    losses = _usual()
    losses[:3] += (1.0, 0.5, 0.2)
    assert _curve(losses).steepest() > 1e-5


def test_what_is_no_number_at_the_end_is_no_part_of_the_suggestion():
    losses = np.append(_usual()[:80], np.nan)
    curve = _curve(losses)
    assert curve.steepest() == _curve(losses[:-1]).steepest()
