"""Learning rates as functions of the step.

A shape maps the step, a float32 scalar, to a share of the peak. All but
one_cycle rise in a line from 0 at step 0, where the first update has no effect,
to `num_warmup_steps`.
"""

import math
import types
from typing import Any

import keras
import tensorflow as tf
from absl import logging
from keras import ops

# One cycle begins at the first share of the peak and ends at the last.
_FIRST_SHARE = 1.0 / 25.0
_LAST_SHARE = 1e-4 * _FIRST_SHARE


def linear(step: tf.Tensor, schedule: "Schedule") -> tf.Tensor:
    """google-research/bert's: a line from step 0 to 0 at `num_train_steps`.

    Warm-up replaces the line while it lasts, so at its end the rate steps down
    from the peak to the line.
    """
    return _warmed_up(step, schedule, 1.0 - _done(step, schedule))


def linear_from_peak(step: tf.Tensor, schedule: "Schedule") -> tf.Tensor:
    """Hugging Face's: a line from the end of warm-up to 0 at the end."""
    return _warmed_up(step, schedule, 1.0 - _done_since_peak(step, schedule))


def polynomial(step: tf.Tensor, schedule: "Schedule") -> tf.Tensor:
    """The power `poly_power` of the line, otherwise as linear."""
    left = 1.0 - _done(step, schedule)
    return _warmed_up(step, schedule, left**schedule.poly_power)


def cosine(step: tf.Tensor, schedule: "Schedule") -> tf.Tensor:
    """Half a cosine from the end of warm-up (Loshchilov and Hutter 2017)."""
    return _warmed_up(step, schedule, _half_cosine(step, schedule))


def constant(step: tf.Tensor, schedule: "Schedule") -> tf.Tensor:
    """The peak from the end of warm-up on."""
    return _warmed_up(step, schedule, ops.ones_like(step))


def one_cycle(step: tf.Tensor, schedule: "Schedule") -> tf.Tensor:
    """Half cosines from 1/25 to the peak and to next to nothing.

    The way up takes the warm-up (Smith and Topin 2018, as PyTorch's
    OneCycleLR).
    """
    up = step / max(schedule.num_warmup_steps, 1)
    rise = 1.0 - (1.0 - _FIRST_SHARE) * (0.5 + 0.5 * ops.cos(math.pi * up))
    fall = _LAST_SHARE + (1.0 - _LAST_SHARE) * _half_cosine(step, schedule)
    return ops.where(step < schedule.num_warmup_steps, rise, fall)


def wsd(step: tf.Tensor, schedule: "Schedule") -> tf.Tensor:
    """The peak, then a line to 0 in the last steps (Hu et al. 2024, 4.2).

    `wsd_decay_share` of all steps are the last ones.
    """
    num_last = max(schedule.wsd_decay_share * schedule.num_train_steps, 1.0)
    left = (schedule.num_train_steps - step) / num_last
    return _warmed_up(step, schedule, ops.clip(left, 0.0, 1.0))


SHAPES = {
    "linear": linear,
    "linear_from_peak": linear_from_peak,
    "polynomial": polynomial,
    "cosine": cosine,
    "constant": constant,
    "one_cycle": one_cycle,
    "wsd": wsd,
}


class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that depends on the step.

    Args:
        peak: the largest rate.
        num_train_steps: the step at which the schedule ends.
        num_warmup_steps: the steps of warm-up.
        shape: a key of `SHAPES`.
        poly_power: the power of "polynomial".
        wsd_decay_share: the share of all steps in which "wsd" decays.
    """

    def __init__(
        self,
        *,
        peak: float,
        num_train_steps: int,
        num_warmup_steps: int,
        shape: str = "linear",
        poly_power: float = 1.0,
        wsd_decay_share: float = 0.1,
    ):
        self.peak = peak
        self.num_train_steps = num_train_steps
        self.num_warmup_steps = num_warmup_steps
        self.shape = shape
        self.poly_power = poly_power
        self.wsd_decay_share = wsd_decay_share

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        return self.peak * SHAPES[self.shape](ops.cast(step, "float32"), self)

    def get_config(self) -> dict[str, Any]:
        return dict(vars(self))


class SetSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """A `Schedule` whose numbers are variables, for run after run.

    A compiled step that has it holds for any rate and number of steps. Create
    it in the strategy's scope; `set` gives it numbers.
    """

    def __init__(self, shape: str):
        self._shape = shape
        self._numbers = {
            name: tf.Variable(1.0, trainable=False, name=name)
            for name in ("peak", "num_train_steps", "num_warmup_steps")
        }

    def set(self, schedule: Schedule) -> None:
        """Takes the numbers of a schedule of the same shape."""
        assert schedule.shape == self._shape, (schedule.shape, self._shape)
        for name, variable in self._numbers.items():
            variable.assign(getattr(schedule, name))

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        numbers: Any = types.SimpleNamespace(
            **{name: x.read_value() for name, x in self._numbers.items()}
        )
        share = SHAPES[self._shape](ops.cast(step, "float32"), numbers)
        return numbers.peak * share

    def get_config(self) -> dict[str, Any]:
        return {"shape": self._shape}


def warn_of_few_steps(
    num_warmup_steps: int, num_train_steps: int, cure: str
) -> None:
    """Warns of a run that ends before the rate has come to its peak.

    Args:
        num_warmup_steps: the steps of warm-up; without one it begins there.
        num_train_steps: all steps.
        cure: what to raise or to lower.
    """
    if not num_warmup_steps:
        return
    if num_train_steps == 1:
        logging.warning(
            "THE RUN HAS ONE STEP, and the first one of a warm-up has a "
            "learning rate of 0: it learns nothing. Raise %s",
            cure,
        )
    elif num_warmup_steps >= num_train_steps:
        logging.warning(
            "THE WARM-UP OF %s STEPS IS NOT SHORTER THAN THE RUN OF %s: the "
            "learning rate never comes to its peak. Raise %s",
            f"{num_warmup_steps:,}",
            f"{num_train_steps:,}",
            cure,
        )


def _warmed_up(step, schedule, share):
    num_steps = _number(schedule.num_warmup_steps)
    return ops.where(
        step < num_steps, step / ops.maximum(num_steps, 1.0), share
    )


def _done(step, schedule):
    """The share of all steps that is done."""
    return (
        ops.minimum(step, schedule.num_train_steps) / schedule.num_train_steps
    )


def _half_cosine(step, schedule):
    """From 1 at the end of warm-up to 0 at the end."""
    done = _done_since_peak(step, schedule)
    return 0.5 + 0.5 * ops.cos(math.pi * done)


def _done_since_peak(step, schedule):
    """The share of the steps from the end of warm-up on that is done."""
    num_steps = _number(schedule.num_train_steps - schedule.num_warmup_steps)
    done = (step - schedule.num_warmup_steps) / ops.maximum(num_steps, 1.0)
    return ops.clip(done, 0.0, 1.0)


def _number(value):
    return ops.cast(value, "float32")
