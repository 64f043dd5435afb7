"""Adafactor: second moments in a row and a column (Shazeer and Stern 2018)."""

import tensorflow as tf
from keras import ops

from training import optimizer

_DECAY_POWER = -0.8
_EPSILON = 1e-30
_SMALLEST_SCALE = 1e-3
_LARGEST_RMS = 1.0


class Adafactor(optimizer.Optimizer):
    """Adafactor without momentum: algorithms 4 and 5.

    The step size of a variable is rate * max(1e-3, RMS(w)), with the rate of
    the schedule for the paper's min(1e-2, 1 / sqrt(t)). Matrices keep the mean
    squares of their rows and columns, vectors those of each element.
    """

    def slot_shapes(self, shape: tuple[int, ...]) -> optimizer.Shapes:
        if len(shape) < 2:
            return {"adafactor_v": shape}
        return {
            "adafactor_row": shape[:-1],
            "adafactor_column": (*shape[:-2], shape[-1]),
        }

    def direction(
        self, gradient: tf.Tensor, slots: optimizer.Slots
    ) -> tuple[tf.Tensor, optimizer.Slots]:
        t = ops.cast(self.iterations + 1, "float32")
        beta = 1.0 - ops.power(t, _DECAY_POWER)
        square = ops.square(gradient) + _EPSILON

        def average(name: str, value: tf.Tensor) -> tf.Tensor:
            return beta * slots[name] + (1.0 - beta) * value

        if "adafactor_v" in slots:
            v = average("adafactor_v", square)
            slots = {"adafactor_v": v}
        else:
            row = average("adafactor_row", ops.mean(square, axis=-1))
            column = average("adafactor_column", ops.mean(square, axis=-2))
            slots = {"adafactor_row": row, "adafactor_column": column}
            shares = row / ops.mean(row, axis=-1, keepdims=True)
            v = shares[..., None] * column[..., None, :]
        update = gradient / ops.sqrt(v)
        return update / ops.maximum(1.0, _rms(update) / _LARGEST_RMS), slots

    def scaled(
        self, update: tf.Tensor, variable: tf.Tensor, is_excluded: bool
    ) -> tf.Tensor:
        return ops.maximum(_SMALLEST_SCALE, _rms(variable)) * update


def _rms(value):
    return ops.sqrt(ops.mean(ops.square(value)))
