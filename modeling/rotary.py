"""Rotary positions: queries and keys that are turned by their place.

Su et al. 2021 (RoFormer), section 3.2.2. Two neighbouring numbers of a head are
a point of a plane; at place p it is turned by p * 10000^(-2i / D), where i is
the number of the pair. The product of a query and a key then depends on how far
they are from one another, not on where they are.

Shapes: B batch, T tokens, H heads, D head width.
"""

from typing import NamedTuple

from keras import ops

from modeling.tensor import Tensor

_BASE = 10_000.0


class Rotation(NamedTuple):
    """How far pairs are turned at each place: float32, [1 or B, 1, T, D/2]."""

    cosines: Tensor
    sines: Tensor

    def turn(self, x: Tensor) -> Tensor:
        """Turns [B, H, T, D].

        In float32: a compiler for CPUs would go to it and back for each
        product in half precision.
        """
        pairs = ops.cast(x, "float32")
        pairs = ops.reshape(pairs, (*ops.shape(x)[:-1], x.shape[-1] // 2, 2))
        first, second = pairs[..., 0], pairs[..., 1]
        turned = ops.stack(
            [
                first * self.cosines - second * self.sines,
                second * self.cosines + first * self.sines,
            ],
            axis=-1,
        )
        return ops.cast(ops.reshape(turned, ops.shape(x)), x.dtype)


def rotation(positions: Tensor, head_width: int) -> Rotation:
    """Returns the rotation of tokens at `positions`, [1 or B, T]."""
    pairs = ops.arange(0, head_width, 2, dtype="float32")
    turns = ops.power(_BASE, -pairs / head_width)
    angles = ops.cast(positions, "float32")[:, None, :, None] * turns
    return Rotation(ops.cos(angles), ops.sin(angles))
