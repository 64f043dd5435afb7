"""The type of a tensor, for annotations, and rows of one.

Shapes: B batch, T tokens, P positions, W width.
"""

from typing import Any

from keras import ops

# Of the backend that Keras runs on; no type is common to all of them.
Tensor = Any


def rows_at(sequence: Tensor, positions: Tensor) -> Tensor:
    """Gathers [B*P, W] from [B, T, W] at `positions` [B, P]."""
    # `ops.shape` gives integers where the shape is known, as in training, and
    # tensors where it is not, as in a server: one model serves both.
    batch_size, num_tokens, width = ops.shape(sequence)
    starts = ops.arange(batch_size, dtype="int32")[:, None] * num_tokens
    rows = ops.reshape(ops.cast(positions, "int32") + starts, (-1,))
    return ops.take(ops.reshape(sequence, (-1, width)), rows, axis=0)
