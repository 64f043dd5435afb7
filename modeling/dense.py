"""Dense layers on tokens.

Shapes: B batch, T tokens, W width, U units = H*D, H heads, D head width.
"""

import keras
from keras import ops


class Dense(keras.layers.Dense):
    """A dense layer that makes no matrix of its inputs [B, T, W].

    keras.layers.Dense reshapes them to [B*T, W], after which a TPU's compiler
    copies what it wants in another layout.

    Args:
        units: U.
        num_heads: H, to have the result in heads.
    """

    def __init__(self, units, *, num_heads=None, **kwargs):
        super().__init__(units, **kwargs)
        self.num_heads = num_heads

    def call(self, inputs):
        """Maps [B, T, W] to [B, T, U], or to [B, H, T, D] if in heads."""
        if self.num_heads is None:
            outputs = ops.einsum("btw,wu->btu", inputs, self.kernel)
            return self.activation(outputs + self.bias)
        heads = (self.num_heads, self.units // self.num_heads)
        outputs = ops.einsum(
            "btw,whd->bhtd",
            inputs,
            ops.reshape(self.kernel, (inputs.shape[-1], *heads)),
        )
        return self.activation(
            outputs + ops.reshape(self.bias, (heads[0], 1, heads[1]))
        )
