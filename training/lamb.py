"""LAMB, for large batches (You et al. 2020, algorithm 2)."""

from typing import Any

import tensorflow as tf
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule

from training import optimizer


class Lamb(optimizer.AdamWeightDecay):
    """Adam whose update of a variable is as long as the variable itself.

        w <- w - rate * (|w| / |u|) * u,  u = m / (sqrt(v) + epsilon) + decay w

    The ratio is 1 where a norm is 0 and, like in the authors' experiments, for
    the variables without decay: layer norms and biases.
    """

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule,
        *,
        bias_correction: bool = True,
        **kwargs: Any,
    ):
        super().__init__(
            learning_rate, bias_correction=bias_correction, **kwargs
        )

    def scaled(
        self, update: tf.Tensor, variable: tf.Tensor, is_excluded: bool
    ) -> tf.Tensor:
        if is_excluded:
            return update
        length = ops.norm(variable)
        update_length = ops.norm(update)
        has_ratio = ops.logical_and(length > 0, update_length > 0)
        ratio = length / ops.where(has_ratio, update_length, 1.0)
        return ops.where(has_ratio, ratio, 1.0) * update
