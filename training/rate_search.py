"""The loss of a model while its rate rises (Smith 2017, section 3.3).

One short training: the rate rises by the same factor in each step, from far too
low to far too high. The loss stays, falls, and then leaps. Nothing is saved.
"""

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import tensorflow as tf
from absl import logging
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule

from training.config import RunSettings
from training.job import Plan
from training.objective import Objective
from training.trainer import Trainer

# Of the mean that goes along, and when it is far above the best there was.
_SMOOTHING = 0.9
_DIVERGED = 3.0
_FEWEST_STEPS = 10
_REPORTS = 10


class _Rising(LearningRateSchedule):
    """From one rate to another, by the same factor in each step."""

    def __init__(self, lowest: float, highest: float, num_steps: int):
        self._lowest = lowest
        self._growth = math.log(highest / lowest) / max(num_steps - 1, 1)

    def __call__(self, step):
        return self._lowest * ops.exp(self._growth * ops.cast(step, "float32"))

    def get_config(self):
        return dict(vars(self))


@dataclasses.dataclass(frozen=True)
class Curve:
    """What the loss did at each rate; the arrays are [S], a step each.

    Args:
        rates: ascending.
        losses: of the step's batch, before its update.
    """

    rates: np.ndarray
    losses: np.ndarray

    @property
    def smoothed(self) -> np.ndarray:
        """The mean of the losses so far, older ones counting less, [S]."""
        weights = _SMOOTHING ** np.arange(len(self.losses))
        sums = np.convolve(self.losses, weights)[: len(self.losses)]
        return sums / np.cumsum(weights)

    @property
    def has_diverged(self) -> bool:
        """Whether the loss has left its start and its best behind."""
        last = self.losses[-1]
        if not math.isfinite(last):
            return True
        smoothed = self.smoothed
        worst = smoothed.min() + (_DIVERGED - 1) * abs(smoothed.min())
        return len(smoothed) >= _FEWEST_STEPS and smoothed[-1] > worst

    def steepest(self) -> float:
        """Returns the rate at which the smoothed loss falls fastest.

        Raises:
            ValueError: it never falls, or there are too few steps.
        """
        part = slice(_FEWEST_STEPS, self._minimum() + 1)
        means = self.smoothed[part]
        # Over some steps, as those of single batches go up and down.
        window = min(_FEWEST_STEPS, len(means) - 1)
        falls = means[window:] - means[:-window]
        return float(self.rates[part][falls.argmin() + window // 2])

    def tenth_of_minimum(self) -> float:
        """Returns a tenth of the rate at which the smoothed loss is least."""
        return float(self.rates[self._minimum()]) / 10

    def _minimum(self):
        """Returns the place where the mean is least.

        The first means are of few batches, and tell of them alone.
        """
        smoothed = self.smoothed
        found = smoothed[np.isfinite(smoothed)][_FEWEST_STEPS:]
        # The mean of equal numbers is not equal in its last digits.
        if not len(found) or found[0] - found.min() <= 1e-6 * abs(found[0]):
            raise ValueError(
                f"the loss did not fall in {len(smoothed)} steps: give more "
                "steps, or a lower first rate"
            )
        return _FEWEST_STEPS + int(found.argmin())


def search(
    settings: RunSettings,
    devices: tf.distribute.Strategy,
    objective: Objective,
    plan: Plan,
    *,
    lowest: float,
    highest: float,
    num_steps: int,
    make_trainer: Callable[[], Trainer] | None = None,
) -> Curve:
    """Trains with a rising rate, in place of `job.train`; saves nothing.

    Args:
        settings, devices, objective, plan: as of `job.train`.
        lowest: the first rate.
        highest: that of the last step, where the loss has not leapt before.
        num_steps: how many there are.
        make_trainer: not used: its rate would be that of the plan.
    """
    with devices.scope():
        trainer = Trainer(
            settings,
            devices,
            objective,
            _Rising(lowest, highest, num_steps),
            seed=settings.seed,
        )
    logging.info("%s", plan.initialize())
    phase = plan.phases[0]
    batches = iter(devices.distribute_datasets_from_function(phase.batches(0)))
    run_steps = trainer.make_run_steps(
        compute_terms=phase.compute_terms,
        is_compiled=plan.is_compiled,
        around=plan.around,
    )
    rates: list[float] = []
    losses: list[float] = []
    curve = Curve(np.zeros(0), np.zeros(0))
    for step in range(num_steps):
        rates.append(float(trainer.optimizer.learning_rate))
        run_steps(batches, tf.constant(1, tf.int64))
        losses.append(trainer.metrics(trainer.totals.read())["loss"])
        curve = Curve(np.array(rates), np.array(losses))
        if curve.has_diverged:
            logging.info("the loss leaps at rate %.3g", rates[-1])
            break
        if step % max(1, num_steps // _REPORTS) == 0:
            logging.info(
                "step %s of %s  rate %.3g  loss %.4f",
                *(step, num_steps, rates[-1], curve.smoothed[-1]),
            )
    return curve
