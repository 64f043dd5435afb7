"""A run that ends when its time is up: the share of it that is done.

A step of a run of N steps does 1 / N of it. Here N is not known: before each
block of steps it is guessed from the time that is left and the pace of the last
blocks, and each step of the block does its share of what is left to do.

    60 s, of which the first block, a compilation, takes 10

    block        1       2       3         ...    last
    took      10 s     2 s     2 s                  2 s
    left      60 s    50 s    48 s                  2 s
    share        0    2/50    4/50                    1    at the block's end

Time in which no steps are done, as of evaluations, leaves the share as it is,
and later steps do more each: what goes by the share never jumps.
"""

import collections
import statistics
import time
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule

from training.schedules import Schedule

# A pause of the machine is in one of so many blocks.
_NUM_PACES = 9


class Clock:
    """The time of a run, on all its starts together.

    Create it in the strategy's scope.

    Args:
        minutes: what the run may take.
        now: returns seconds.
    """

    def __init__(
        self, minutes: float, *, now: Callable[[], float] = time.monotonic
    ):
        self._limit_secs = 60.0 * minutes
        self._now = now
        # At the end of the last block.
        self._share = _state(0.0, "share_done")
        self._seconds = _state(0.0, "seconds_done")
        self._step = _state(0, "clock_step", "int64")
        # In this block.
        self._share_a_step = _state(0.0, "share_a_step")
        self._paces: collections.deque[float] = collections.deque(
            maxlen=_NUM_PACES
        )
        self._agree: Callable[[float], float] = lambda value: value
        self._started = 0.0
        self._steps_left = 0.0

    def variables(self) -> dict[str, keras.Variable]:
        """Returns the state by the names of its tensors in a checkpoint."""
        return {"share_done": self._share, "seconds_done": self._seconds}

    def share_at(self, step: tf.Tensor) -> tf.Tensor:
        """Returns the share of the run that is done before a step.

        Args:
            step: one of the block that runs, or of the next one's first.
        """
        more = ops.cast(step - self._step, "float32") * self._share_a_step
        return ops.minimum(self._share + more, 1.0)

    @property
    def share_done(self) -> float:
        """The share of the run that is done, at the end of a block."""
        return float(self._share.numpy())

    @property
    def seconds_left(self) -> float:
        """The time that is left, when the last block ended."""
        return max(self._limit_secs - float(self._seconds.numpy()), 0.0)

    @property
    def is_over(self) -> bool:
        return self.share_done >= 1.0

    def start(self, step: int, agree: Callable[[float], float]) -> None:
        """Begins to count, after the state was restored.

        Args:
            step: the one that comes first.
            agree: maps a number to its mean over all workers.
        """
        self._step.assign(step)
        self._agree = agree
        self._started = self._now() - float(self._seconds.numpy())

    def begin_block(self, most_steps: int) -> int:
        """Returns how many steps the next block has, 1 to `most_steps`."""
        self._count()
        if not self._paces:
            return most_steps
        pace = max(statistics.median(self._paces), 1e-6)
        self._steps_left = max(self.seconds_left // pace, 1.0)
        self._share_a_step.assign((1.0 - self.share_done) / self._steps_left)
        return int(min(most_steps, self._steps_left))

    def end_block(self, num_steps: int, pace: float | None) -> None:
        """Notes a block.

        Args:
            num_steps: how many it had.
            pace: seconds a step, the same on all workers; None where steps
                were compiled in it.
        """
        self._count()
        share = self.share_done + num_steps * float(self._share_a_step.numpy())
        is_last = num_steps == self._steps_left
        self._share.assign(1.0 if is_last else min(share, 1.0))
        self._step.assign(int(self._step.numpy()) + num_steps)
        if pace is not None:
            self._paces.append(pace)

    def _count(self):
        self._seconds.assign(self._agree(self._now() - self._started))


class TimedSchedule(LearningRateSchedule):
    """A schedule that goes by the share of a run that is done.

    Args:
        schedule: its `num_train_steps` are the whole run, however many are
            done.
        clock: of the run.
    """

    def __init__(self, schedule: Schedule, clock: Clock):
        self._schedule = schedule
        self._clock = clock

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        share = self._clock.share_at(step)
        return self._schedule(share * self._schedule.num_train_steps)

    def get_config(self) -> dict[str, Any]:
        return self._schedule.get_config()


def _state(value, name, dtype="float32"):
    return keras.Variable(
        value,
        dtype=dtype,
        trainable=False,
        aggregation="only_first_replica",
        name=name,
    )
