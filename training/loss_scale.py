"""Dynamic loss scaling for float16 (Micikevicius et al. 2018, section 3.2)."""

import keras
import tensorflow as tf

_FIRST_SCALE = 2.0**15
_GROWTH_STEPS = 2000
_LARGEST_SCALE = 2.0**24


class LossScale:
    """A power of two that keeps small gradients above float16's underflow.

    It is halved when a gradient overflows and doubled after 2,000 steps without
    an overflow. Create it in the strategy's scope.
    """

    def __init__(self):
        self.scale = _state(_FIRST_SCALE, "loss_scale")
        self.good_steps = _state(0.0, "loss_scale_good_steps")

    def variables(self) -> dict[str, keras.Variable]:
        """Returns the state by the names of its tensors in a checkpoint."""
        return {
            "loss_scale": self.scale,
            "loss_scale_good_steps": self.good_steps,
        }

    def update(self, is_finite: tf.Tensor) -> None:
        """Adapts the scale, in a replica's context.

        Args:
            is_finite: whether the gradient under the present scale was finite.
        """
        good_steps = tf.where(is_finite, self.good_steps.value + 1.0, 0.0)
        grows = good_steps >= _GROWTH_STEPS
        factor = tf.where(is_finite, tf.where(grows, 2.0, 1.0), 0.5)
        scale = tf.clip_by_value(self.scale.value * factor, 1.0, _LARGEST_SCALE)
        self.scale.assign(scale)
        self.good_steps.assign(tf.where(grows, 0.0, good_steps))


def _state(value, name):
    return keras.Variable(
        value,
        dtype="float32",
        trainable=False,
        aggregation="only_first_replica",
        name=name,
    )
