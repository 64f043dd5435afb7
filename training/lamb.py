"""LAMB, for large batches (You et al. 2020, algorithm 2)."""

from keras import ops

from training import optimizer


class Lamb(optimizer.AdamWeightDecay):
    """Adam whose update of a variable is as long as the variable itself.

        w <- w - rate * (|w| / |u|) * u,  u = m / (sqrt(v) + epsilon) + decay w

    The ratio is 1 where a norm is 0 and, like in the authors' experiments, for
    the variables without decay: layer norms and biases.
    """

    def __init__(self, learning_rate, *, bias_correction=True, **kwargs):
        super().__init__(
            learning_rate, bias_correction=bias_correction, **kwargs
        )

    def scaled(self, update, variable, is_excluded):
        if is_excluded:
            return update
        length = ops.norm(variable)
        update_length = ops.norm(update)
        has_ratio = ops.logical_and(length > 0, update_length > 0)
        ratio = length / ops.where(has_ratio, update_length, 1.0)
        return ops.where(has_ratio, ratio, 1.0) * update
