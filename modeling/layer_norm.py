"""Layer normalisation (Ba et al. 2016) with a gradient written out.

    x - mean, divided by the deviation = z        gamma * z + beta

The forward pass keeps x as it came, and two numbers a row; the backward pass
computes z again. With g the gradient of z, which is gamma times what arrives:

    of x = (g - mean(g) - z * mean(g * z)) / deviation

Shapes: W width; "..." are the axes that count rows.
"""

from typing import Any

import keras
from keras import ops

from modeling import dense
from modeling.gradient import by_upstream
from modeling.tensor import Tensor


class LayerNorm(keras.layers.LayerNormalization):
    """Keras' layer over the last axis, computed in float32."""

    def call(self, inputs: Tensor, **kwargs: Any) -> Tensor:
        """Maps [..., W] of any type to float32 [..., W]."""
        return normalise(inputs, self.gamma, self.beta, self.epsilon)


def normalise(x: Tensor, gamma: Tensor, beta: Tensor, epsilon: float) -> Tensor:
    """Gives each row mean 0 and deviation 1, then scales and shifts it.

    Args:
        x: [..., W] of any type.
        gamma: float32 [W].
        beta: float32 [W].
        epsilon: added to the variance.

    Returns:
        float32 [..., W].
    """
    # Tensors: what differentiates itself may read no variable.
    gamma, beta = _float32(gamma), _float32(beta)

    @ops.custom_gradient
    def run(x, gamma, beta):
        mean = _mean(_float32(x))
        inverse = ops.rsqrt(_mean(ops.square(_float32(x) - mean)) + epsilon)

        def columns(y: Tensor) -> Tensor:
            # In the type of the products: half as much to move.
            return _float32(dense.sum_of_rows(ops.cast(y, x.dtype)))

        @by_upstream
        def gradient(upstream):
            z = (_float32(x) - mean) * inverse
            of_z = upstream * gamma
            of_x = of_z - _mean(of_z) - z * _mean(of_z * z)
            return (
                ops.cast(of_x * inverse, x.dtype),
                columns(upstream * z),
                columns(upstream),
            )

        return (_float32(x) - mean) * inverse * gamma + beta, gradient

    return run(x, gamma, beta)


def _mean(x):
    return ops.mean(x, axis=-1, keepdims=True)


def _float32(x):
    return ops.cast(x, "float32")
