"""What gradients that are written out share, on all of Keras' backends."""

import math
from collections.abc import Callable
from typing import Any

from keras import ops

from modeling.tensor import Tensor


def by_upstream(gradient: Callable[[Tensor], Any]) -> Callable[..., Any]:
    """Returns what `ops.custom_gradient` wants of a function of one tensor.

    Args:
        gradient: maps the gradient that arrives to those of the inputs.
    """

    def run(*args: Tensor, upstream: Tensor | None = None) -> Any:
        if upstream is None:
            (upstream,) = args
        return gradient(upstream)

    return run


def after(awaited: Tensor, x: Tensor) -> Tensor:
    """Returns `x`, or NaNs where the first number of `awaited` is none.

    So it cannot be there before `awaited` is, in whatever order a compiler puts
    things.
    """
    is_there = ops.isfinite(ops.reshape(awaited, (-1,))[0])
    return ops.where(is_there, x, ops.cast(math.nan, x.dtype))
