"""Learning rates as functions of the step."""

import keras
from keras import ops


class WarmupThenLinear(keras.optimizers.schedules.LearningRateSchedule):
    """The schedule of google-research/bert.

    The rate falls in a line from `peak` at step 0 to 0 at `num_train_steps`.
    While step < num_warmup_steps it is replaced by peak * step /
    num_warmup_steps: the very first update has rate 0, and at the end of
    warm-up the rate steps down to the line.
    """

    def __init__(self, *, peak, num_train_steps, num_warmup_steps):
        self.peak = peak
        self.num_train_steps = num_train_steps
        self.num_warmup_steps = num_warmup_steps

    def __call__(self, step):
        step = ops.cast(step, "float32")
        done = ops.minimum(step, self.num_train_steps) / self.num_train_steps
        rate = self.peak * (1.0 - done)
        if not self.num_warmup_steps:
            return rate
        warmup_rate = self.peak * (step / self.num_warmup_steps)
        return ops.where(step < self.num_warmup_steps, warmup_rate, rate)

    def get_config(self):
        return {
            "peak": self.peak,
            "num_train_steps": self.num_train_steps,
            "num_warmup_steps": self.num_warmup_steps,
        }
