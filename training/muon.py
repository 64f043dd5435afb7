"""Muon: matrices move by their orthogonalised momentum (Jordan et al. 2024).

The update of a matrix is the momentum with all its singular values brought near
1, so that no few directions lead; all else moves by Adam. For a [2, 2] matrix
with the momentum

    [[3, 0], [0, .1]]     singular values 3 and .1

it is about [[1, 0], [0, 1]], times .2 * sqrt(2).

Shapes: N matrices of one shape, R rows, C columns, R <= C.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule

from training import optimizer

# An odd polynomial that takes (0, 1] to about (.7, 1.2) in so many rounds, of
# which small values make the most (Jordan et al. 2024).
_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_NUM_ROUNDS = 5
# Updates of a matrix are then about as long as Adam's, so that one rate and one
# decay serve both (Liu et al. 2025, 2.2).
_SCALE = 0.2
_SMALLEST_NORM = 1e-7


class _Move(NamedTuple):
    """What is known of a matrix once all gradients are there."""

    gradient: tf.Tensor
    momentum: tf.Tensor
    direction: tf.Tensor


class Muon(optimizer.AdamWeightDecay):
    """Orthogonalised momentum for matrices, Adam for all others.

        m <- momentum * m + (1 - momentum) * g
        u = orthogonal(momentum * m + (1 - momentum) * g)
        w <- w - rate * (.2 * sqrt(longer side) * u + decay * w)

    Args:
        learning_rate: a number or a schedule.
        is_matrix: whether a variable, of two axes, is one of the matrices.
        momentum: decay of the mean of the matrices' gradients.
        products: the dtype that matrices are multiplied in.
        kwargs: as `AdamWeightDecay`, for the others.
    """

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule,
        *,
        is_matrix: Callable[[keras.Variable], bool],
        momentum: float = 0.95,
        products: str = "float32",
        bias_correction: bool = True,
        **kwargs: Any,
    ):
        super().__init__(
            learning_rate, bias_correction=bias_correction, **kwargs
        )
        self.is_matrix = is_matrix
        self.momentum = momentum
        self.products = products

    def slot_shapes_of(self, variable: keras.Variable) -> optimizer.Shapes:
        if self.is_matrix(variable):
            return {"muon_m": variable.shape}
        return super().slot_shapes_of(variable)

    def apply(
        self,
        grads: Sequence[tf.Tensor],
        trainable_variables: Sequence[keras.Variable] | None = None,
    ) -> None:
        """Applies gradients, those of the matrices all at once."""
        variables = trainable_variables or self._trainable_variables
        moves: list[Any] = list(grads)
        found = []
        for place, (gradient, variable) in enumerate(
            zip(grads, variables, strict=True)
        ):
            slots = self._slots[self._get_variable_index(variable)]
            if "muon_m" in slots:
                m = self._averaged(slots["muon_m"], gradient)
                found.append((place, gradient, m))
        directions = orthogonal(
            [self._averaged(m, gradient) for _, gradient, m in found],
            self.products,
        )
        for (place, gradient, m), direction in zip(
            found, directions, strict=True
        ):
            moves[place] = _Move(gradient, m, direction)
        super().apply(moves, variables)

    def direction(
        self, gradient: tf.Tensor | _Move, slots: optimizer.Slots
    ) -> tuple[tf.Tensor, optimizer.Slots]:
        if not isinstance(gradient, _Move):
            return super().direction(gradient, slots)
        return gradient.direction, {"muon_m": gradient.momentum}

    def _averaged(self, mean, gradient):
        return self.momentum * mean + (1.0 - self.momentum) * gradient


def orthogonal(matrices: Sequence[tf.Tensor], dtype: str) -> list[tf.Tensor]:
    """Returns the matrices with singular values near 1, scaled.

    Those of one shape, either way up, are multiplied together.

    Args:
        matrices: of two axes each.
        dtype: of the products.
    """
    places: dict[tuple[int, int], list[int]] = {}
    for place, matrix in enumerate(matrices):
        places.setdefault(tuple(sorted(matrix.shape)), []).append(place)
    results: dict[int, tf.Tensor] = {}
    for (_, longer), those in places.items():
        # In the dtype of the products already: half as much to move.
        stacked = ops.stack(
            [ops.cast(_flat(matrices[place]), dtype) for place in those]
        )
        found = tf.unstack(_orthogonal(stacked))
        for place, matrix in zip(those, found, strict=True):
            rows, columns = matrices[place].shape
            update = ops.transpose(matrix) if rows > columns else matrix
            scale = _SCALE * math.sqrt(longer)
            results[place] = scale * ops.cast(update, "float32")
    return [results[place] for place in range(len(matrices))]


def _flat(matrix):
    """Returns the matrix, or its transposed, with no more rows than columns."""
    rows, columns = matrix.shape
    return ops.transpose(matrix) if rows > columns else matrix


def _orthogonal(x):
    """Brings the singular values of [N, R, C] near 1, by Newton and Schulz."""
    first, third, fifth = _COEFFICIENTS
    dtype, x = x.dtype, ops.cast(x, "float32")
    norm = ops.sqrt(ops.sum(ops.square(x), axis=(1, 2), keepdims=True))
    x = ops.cast(x / (norm + _SMALLEST_NORM), dtype)
    for _ in range(_NUM_ROUNDS):
        square = tf.matmul(x, x, transpose_b=True)  # [N, R, R]
        more = third * square + fifth * tf.matmul(square, square)
        x = first * x + tf.matmul(more, x)
    return x
