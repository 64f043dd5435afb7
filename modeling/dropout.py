"""Dropout whose masks are a pure function of (seed, layer, element).

Random bits come from a few integer operations on each element's index instead
of from a stateful generator: nothing is kept between steps, a resumed run draws
what an uninterrupted one would have drawn, and a compiler can compute the bits
where they are used instead of storing them.
"""

import zlib
from typing import Any

import keras
from keras import ops

from modeling.tensor import Tensor


class Dropout(keras.layers.Layer):
    """Zeroes a share `rate` of the inputs and scales the others up.

    The layer's own path salts the seed, so layers differ from one another.
    """

    def __init__(self, rate: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = rate

    def build(self, inputs_shape: tuple[int | None, ...]) -> None:
        self.salt = zlib.crc32(self.path.encode())

    def call(
        self,
        inputs: Tensor,
        seed: Tensor | None = None,
        is_transposed: bool = False,
    ) -> Tensor:
        """Drops elements of `inputs`.

        Args:
            inputs: a tensor of static shape.
            seed: an integer scalar, or None (inference) for no dropout.
            is_transposed: whether the last two axes stand the other way round,
                and the mask, too.
        """
        if seed is None or not self.rate:
            return inputs
        bits = random_bits(inputs.shape, seed, self.salt, is_transposed)
        keep = bits >= int(self.rate * 2**32)
        # 1 / 0.9 is 1.109 in bfloat16.
        scaled = ops.cast(inputs, "float32") * (1 / (1 - self.rate))
        return ops.cast(ops.where(keep, scaled, 0.0), inputs.dtype)


def of_repeat(seed: Tensor | None, number: int) -> Tensor | None:
    """Returns the seed of a layer that is called for the `number`th time.

    Of one that is called twice in a step with one seed the masks are the same.

    Args:
        seed: an integer scalar, or None for no dropout.
        number: counted from 0, at which the seed is as it was.
    """
    if seed is None or not number:
        return seed
    return _mix(ops.cast(seed, "uint32") ^ _uint32(number * 0x9E3779B1 % 2**32))


def seeds_of_rows(rows: Tensor, seed: int) -> Tensor:
    """Returns a seed for each row, a function of what stands in it.

    So the same row draws the same numbers wherever it stands in a batch, and
    whatever the batch is divided into.

    Args:
        rows: integers [B, N], N known beforehand.
        seed: another one gives other seeds.

    Returns:
        uint32 [B].
    """
    places = random_bits(rows.shape[1:], _uint32(seed % 2**32), 0)
    return ops.sum(_mix(ops.cast(rows, "uint32") ^ places), axis=1)


def random_bits(
    shape: tuple[int, ...],
    seed: Tensor,
    salt: int,
    is_transposed: bool = False,
) -> Tensor:
    """Returns uint32 bits for each element of a tensor of static `shape`.

    For backends whose uint32 wraps around: TensorFlow, JAX, NumPy.

    Args:
        shape: known beforehand.
        seed: an integer scalar; or one for each row, such as [B, 1, 1] for
            shape [1, P, V] and a result [B, P, V].
        salt: below 2**32.
        is_transposed: whether the last two axes are exchanged, in the shape and
            in the result.
    """
    key = _mix(ops.cast(seed, "uint32") ^ _uint32(salt))
    # The key enters twice, so that two keys never give shifted copies of one
    # stream.
    return _mix(_places(shape, is_transposed, key)) ^ key


def _places(shape, is_transposed, start):
    """Returns start + 0x9E3779B1 * (the number of each element), in uint32.

    Elements are numbered row by row, or, transposed, column by column. The
    start comes first in each sum and the axes after it, one by one: of numbers
    known beforehand TensorFlow would make a literal as large as the result.
    They are subtracted, negative: sums TensorFlow puts together anew, outside
    of what XLA compiles.
    """
    order = list(range(len(shape)))
    if is_transposed:
        order[-2:] = order[:-3:-1]
    strides, stride = {}, 0x9E3779B1
    for axis in reversed(order):
        strides[axis] = stride % 2**32
        stride *= shape[axis]
    places = start
    for axis, size in enumerate(shape):
        along = ops.arange(size, dtype="int32")
        along = ops.cast(along, "uint32") * _uint32(-strides[axis] % 2**32)
        places = places - ops.reshape(
            along, [size if other == axis else 1 for other in range(len(shape))]
        )
    return places


def _mix(x):
    """Scrambles uint32s: Wellons, Prospecting for Hash Functions, lowbias32."""
    x = (x ^ ops.right_shift(x, _uint32(16))) * _uint32(0x7FEB352D)
    x = (x ^ ops.right_shift(x, _uint32(15))) * _uint32(0x846CA68B)
    return x ^ ops.right_shift(x, _uint32(16))


def _uint32(value):
    return ops.convert_to_tensor(value, dtype="uint32")
