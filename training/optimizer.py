"""The optimizer of google-research/bert."""

import re

import keras
from keras import ops

NO_DECAY = ("LayerNorm", "layer_norm", "bias")


class AdamWeightDecay(keras.optimizers.Optimizer):
    """Adam without bias correction and with decoupled weight decay.

    The update, as in google-research/bert's optimization.py:

        m <- beta_1 * m + (1 - beta_1) * g
        v <- beta_2 * v + (1 - beta_2) * g^2
        w <- w - rate * (m / (sqrt(v) + epsilon) + decay * w)

    Args:
        learning_rate: a number or a schedule.
        decay: weight decay, of variables that `no_decay` does not match.
        no_decay: patterns searched in a variable's path.
    """

    def __init__(
        self,
        learning_rate,
        *,
        decay=0.01,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-6,
        no_decay=NO_DECAY,
        **kwargs,
    ):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.decay = decay
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.no_decay = no_decay

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._m = self.add_optimizer_variables(variables, "adam_m")
        self._v = self.add_optimizer_variables(variables, "adam_v")
        self._decays = [self._decay_of(variable.path) for variable in variables]

    def slots(self):
        """Returns the state by name: <variable's path>/adam_m and /adam_v."""
        return {
            f"{variable.path}/{name}": slot
            for name, slots in (("adam_m", self._m), ("adam_v", self._v))
            for variable, slot in zip(
                self._trainable_variables, slots, strict=True
            )
        }

    def update_step(self, gradient, variable, learning_rate):
        index = self._get_variable_index(variable)
        m, v = self._m[index], self._v[index]
        next_m = self.beta_1 * m + (1.0 - self.beta_1) * gradient
        next_v = self.beta_2 * v + (1.0 - self.beta_2) * ops.square(gradient)
        update = next_m / (ops.sqrt(next_v) + self.epsilon)
        if self._decays[index]:
            update += self._decays[index] * variable
        self.assign(m, next_m)
        self.assign(v, next_v)
        self.assign_sub(variable, learning_rate * update)

    def get_config(self):
        return super().get_config() | {
            "decay": self.decay,
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "no_decay": self.no_decay,
        }

    def _decay_of(self, path):
        excluded = any(re.search(pattern, path) for pattern in self.no_decay)
        return 0.0 if excluded else self.decay

    def _all_reduce_sum_gradients(self, grads_and_vars):
        """Leaves gradients alone: the step has summed them before clipping.

        Keras sums inside `apply`, after any clipping of its own, which makes
        the result depend on the number of replicas, and has no public way to
        say that the sum is done.
        """
        return grads_and_vars
