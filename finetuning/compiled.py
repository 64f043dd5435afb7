"""A model as one compiled function of batches of any number and length.

How many rows there are makes no difference to what is computed of each in
float32 on a CPU, to the last bit, but for one alone, whose pooled vector is
multiplied in another order: it is computed twice, see `_LEAST_ROWS`. Their
length does, so that a row's is to depend on it alone, see
`batches.lengths_up_to`: its answer is the same then in whatever batch it is.
Shapes that are fixed would be a program each, seconds to compile and no faster.

Shapes: B batch, C choices, T tokens, P positions.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import tensorflow as tf

from finetuning import batches
from finetuning.task import Outputs, Rows, Tensors

# A CPU is no faster with more rows at once, and adds up products of 16 rows
# and more in another order than those of fewer: the last digit would move.
MOST_ROWS_ON_CPU = 8
# A product of [1, W] is added up in another order than one of [2, W].
_LEAST_ROWS = 2


class Predicting(Protocol):
    """What computes something of a batch, such as a `Model`."""

    @property
    def per_token(self) -> bool:
        """Whether what `predict` returns is [B, T, ...]."""

    @property
    def inputs(self) -> Sequence[str]:
        """The names of the rows that `predict` reads."""

    def predict(self, batch: Tensors) -> Tensors:
        """Returns {name: float32 [B, ...]}."""


class Compiled:
    """Computes batches on one device.

    Args:
        model: computes a batch.
        example: rows, [N, T] or [N, C, T], as all batches have them.
    """

    def __init__(self, model: Predicting, example: Rows):
        self.per_token = model.per_token
        self._inputs = tuple(model.inputs)
        self._example = self.rows(example)
        signature = {
            name: tf.TensorSpec(
                (None, *value.shape[1:-1], None)[: value.ndim],
                value.dtype,
                name=name,
            )
            for name, value in self._example.items()
        }

        def predict(**batch: tf.Tensor) -> Tensors:
            return dict(model.predict(batch))

        self._run = tf.function(predict).get_concrete_function(**signature)

    def rows(self, rows: Rows) -> Rows:
        """Returns of rows what is computed with."""
        return {name: rows[name] for name in self._inputs}

    def prepare(self, lengths: Sequence[int]) -> None:
        """Computes a row of each length once, which is slower than later."""
        first = {name: value[:1] for name, value in self._example.items()}
        for length in lengths:
            self(batches.trim(first, length, per_token=self.per_token))

    def __call__(self, batch: Rows) -> Outputs:
        num_rows = len(batch["input_ids"])
        places = np.arange(num_rows)
        if not self.per_token:
            places = np.resize(places, max(num_rows, _LEAST_ROWS))
        outputs = self._run(
            **{
                name: tf.constant(value[places])
                for name, value in batch.items()
            }
        )
        return {name: x.numpy()[:num_rows] for name, x in outputs.items()}
