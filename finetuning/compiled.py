"""A model as one compiled function of batches of any number and length.

How many rows there are makes no difference to what is computed of each in
float32 on a CPU, to the last bit. Their length does, so that a row's is to
depend on it alone, see `batches.lengths_up_to`: its answer is the same then in
whatever batch it is. Shapes that are fixed would be a program each, seconds to
compile and no faster.

Shapes: B batch, C choices, T tokens, P positions.
"""

from collections.abc import Sequence
from typing import Protocol

import tensorflow as tf

from finetuning import batches
from finetuning.task import Outputs, Rows, Tensors


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
        outputs = self._run(
            **{name: tf.constant(value) for name, value in batch.items()}
        )
        return {name: value.numpy() for name, value in outputs.items()}
