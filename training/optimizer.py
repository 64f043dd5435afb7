"""The optimizer of google-research/bert, and what all optimizers share."""

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule

# {name of a slot: its shape}, {name of a slot: its value}
Shapes = dict[str, tuple[int, ...]]
Slots = dict[str, tf.Tensor]

NO_DECAY = ("LayerNorm", "layer_norm", "bias")


class Optimizer(keras.optimizers.Optimizer):
    """Decoupled weight decay around a direction that a subclass computes.

        w <- w - rate * factor * scaled(direction + decay * w)

    A variable whose gradient is NaN keeps its value and its slots.

    Args:
        learning_rate: a number or a schedule.
        decay: weight decay, of variables that `no_decay` does not match.
        no_decay: patterns searched in a variable's path.
        rate_factor: maps a variable's path to a factor of its rate.
    """

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule,
        *,
        decay: float = 0.01,
        no_decay: Sequence[str] = NO_DECAY,
        rate_factor: Callable[[str], float] = lambda path: 1.0,
        **kwargs: Any,
    ):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.decay = decay
        self.no_decay = no_decay
        self.rate_factor = rate_factor

    def build(self, variables: Sequence[keras.Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self._slots = [
            {
                name: self.add_variable(shape, name=name, dtype="float32")
                for name, shape in self.slot_shapes_of(variable).items()
            }
            for variable in variables
        ]
        self._factors = [self.rate_factor(v.path) for v in variables]
        self._excluded = [
            any(re.search(pattern, v.path) for pattern in self.no_decay)
            for v in variables
        ]

    def slots(self) -> dict[str, keras.Variable]:
        """Returns the state by name: <variable's path>/<slot's name>."""
        return {
            f"{variable.path}/{name}": slot
            for variable, slots in zip(
                self._trainable_variables, self._slots, strict=True
            )
            for name, slot in slots.items()
        }

    def slot_shapes_of(self, variable: keras.Variable) -> Shapes:
        """Returns {name: shape} of the slots of a variable."""
        return self.slot_shapes(variable.shape)

    def slot_shapes(self, shape: tuple[int, ...]) -> Shapes:
        """Returns {name: shape} of the slots of a variable of this shape."""
        raise NotImplementedError

    def direction(
        self, gradient: tf.Tensor, slots: Slots
    ) -> tuple[tf.Tensor, Slots]:
        """Returns the direction of an update, and {name: value} of the slots.

        Args:
            gradient: a tensor of the variable's shape.
            slots: those of the variable.
        """
        raise NotImplementedError

    def scaled(
        self, update: tf.Tensor, variable: tf.Tensor, is_excluded: bool
    ) -> tf.Tensor:
        """Returns the update in the length that the rate is meant for.

        Args:
            update: the direction with the decay.
            variable: a tensor, the value before the update.
            is_excluded: whether `no_decay` matches the variable.
        """
        return update

    def update_step(
        self,
        gradient: Any,
        variable: keras.Variable,
        learning_rate: tf.Tensor,
    ) -> None:
        """Moves a variable.

        Args:
            gradient: a tensor, or where a subclass computes more of all
                gradients at once, a tuple that begins with it.
            variable: what is moved.
            learning_rate: that of this step.
        """
        index = self._get_variable_index(variable)
        slots, factor = self._slots[index], self._factors[index]
        update, next_slots = self.direction(gradient, slots)
        if self.decay and not self._excluded[index]:
            update += self.decay * variable
        update = self.scaled(update, variable, self._excluded[index])
        rate = learning_rate if factor == 1.0 else factor * learning_rate
        # The step makes all numbers of a gradient NaN, or none.
        number = ops.reshape(tf.nest.flatten(gradient)[0], (-1,))[0]
        is_good = ops.isfinite(number)
        for name, value in next_slots.items():
            self.assign(slots[name], ops.where(is_good, value, slots[name]))
        self.assign_sub(variable, ops.where(is_good, rate * update, 0.0))

    def _all_reduce_sum_gradients(self, grads_and_vars):
        """Leaves gradients alone: the step has summed them before clipping.

        Keras sums inside `apply`, after any clipping of its own, which makes
        the result depend on the number of replicas, and has no public way to
        say that the sum is done.
        """
        return grads_and_vars


class AdamWeightDecay(Optimizer):
    """Adam with decoupled weight decay, without bias correction by default.

    The update, as in google-research/bert's optimization.py:

        m <- beta_1 * m + (1 - beta_1) * g
        v <- beta_2 * v + (1 - beta_2) * g^2
        w <- w - rate * (m / (sqrt(v) + epsilon) + decay * w)

    Args:
        learning_rate: a number or a schedule.
        bias_correction: whether m and v are divided by 1 - beta^t, t from 1;
            it is AdamW then (Loshchilov and Hutter 2019, algorithm 2).
    """

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule,
        *,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-6,
        bias_correction: bool = False,
        **kwargs: Any,
    ):
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.bias_correction = bias_correction

    def slot_shapes(self, shape: tuple[int, ...]) -> Shapes:
        return {"adam_m": shape, "adam_v": shape}

    def direction(
        self, gradient: tf.Tensor, slots: Slots
    ) -> tuple[tf.Tensor, Slots]:
        m = self.beta_1 * slots["adam_m"] + (1.0 - self.beta_1) * gradient
        v = self.beta_2 * slots["adam_v"] + (1.0 - self.beta_2) * ops.square(
            gradient
        )
        slots = {"adam_m": m, "adam_v": v}
        if self.bias_correction:
            m /= self._weight_so_far(self.beta_1)
            v /= self._weight_so_far(self.beta_2)
        return m / (ops.sqrt(v) + self.epsilon), slots

    def _weight_so_far(self, beta):
        """Returns 1 - beta^t without the loss of digits where t is small."""
        t = ops.cast(self.iterations + 1, "float32")
        return -ops.expm1(t * (math.log(beta) if beta else -math.inf))
