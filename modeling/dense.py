"""Products of rows and kernels whose gradients are products, too.

    y = x K + b                of x      of y  times K^T
                               of K      x^T   times of y
                               of b      1^T   times of y

A sum over rows in half precision is a product with a row of ones: a compiler
for CPUs makes several passes of it, of which the first writes down every number
as float32, and does so at the end of the step, when nothing of it is in the
caches.

Shapes: I inputs, O outputs; "..." are the axes that count rows.
"""

from typing import Any

import keras
from keras import ops

from modeling.gradient import after, by_upstream
from modeling.tensor import Tensor


class Dense(keras.layers.Dense):
    """Keras' dense layer, its variables and its values."""

    def call(self, inputs: Tensor, **kwargs: Any) -> Tensor:
        """Maps [..., I] to [..., O]."""
        outputs = affine(
            inputs,
            ops.cast(self.kernel, self.compute_dtype),
            ops.cast(self.bias, self.compute_dtype),
        )
        return self.activation(outputs)


def affine(x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """Returns x K + b.

    Args:
        x: [..., I].
        kernel: [I, O], of the type of `x`.
        bias: [O], of the type of `x`.

    Returns:
        [..., O].
    """

    @ops.custom_gradient
    def run(x, kernel, bias):
        @by_upstream
        def gradient(upstream):
            return (
                times(upstream, ops.transpose(kernel)),
                of_kernel(x, upstream),
                sum_of_rows(upstream),
            )

        return times(x, kernel) + bias, gradient

    return run(x, kernel, bias)


def times_transposed(x: Tensor, table: Tensor) -> Tensor:
    """Multiplies rows [R, I] with each row of a table [O, I]; [R, O].

    The gradient of the table has its form: TensorFlow's is the transposed one,
    and is turned round as float32.
    """

    @ops.custom_gradient
    def run(x, table):
        @by_upstream
        def gradient(upstream):
            return ops.matmul(upstream, table), of_kernel(upstream, x)

        return ops.matmul(x, ops.transpose(table)), gradient

    return run(x, ops.cast(table, x.dtype))


def times(x: Tensor, kernel: Tensor) -> Tensor:
    """Multiplies [..., I] by [I, O], as one matrix of all rows."""
    product = ops.matmul(as_matrix(x), kernel)
    return ops.reshape(product, (*ops.shape(x)[:-1], kernel.shape[-1]))


def of_kernel(x: Tensor, upstream: Tensor) -> Tensor:
    """Returns the gradient of the kernel, [I, O], by that of the product."""
    return ops.matmul(ops.transpose(as_matrix(x)), as_matrix(upstream))


def sum_of_rows(x: Tensor) -> Tensor:
    """Sums [..., O] over all its rows; [O]."""
    rows = as_matrix(x)
    if keras.backend.standardize_dtype(x.dtype) == "float32":
        return ops.sum(rows, axis=0)
    # Its own ones for each product: those of one row of ones for all XLA makes
    # into one, of all matrices put together.
    ones = ops.ones((1, ops.shape(rows)[0]), dtype=x.dtype)
    return ops.matmul(after(x, ones), rows)[0]


def as_matrix(x: Tensor) -> Tensor:
    """Returns [..., O] as [rows, O]."""
    return ops.reshape(x, (-1, x.shape[-1]))
