"""One vector of a text that is longer than the encoder reads at once.

A text of 11 tokens in chunks of --max_seq_length=6 is a row of three, one
behind another, of which the encoder sees each as a row of its own:

    [CLS] a a a a [SEP]  [CLS] a a a a [SEP]  [CLS] a a a [SEP] [PAD]

    chunks [B*C, T] -> encoder -> pooled [B, C, W] -> joined [B, W] -> head

Source: Sun et al. 2019, How to Fine-Tune BERT for Text Classification, 5.3.2.

Shapes: B batch, C chunks, T tokens of a chunk, L <= C*T tokens of a row,
W width.
"""

from typing import Any

import keras
from keras import ops

from modeling.config import BertConfig
from modeling.initializers import Initializer
from modeling.tensor import Tensor


def chunks(rows: Tensor, chunk_length: int) -> Tensor:
    """Returns the chunks of rows, [B, C, T]; the last one is filled up with 0.

    A row that is shorter than a chunk is one of its own length.

    Args:
        rows: [B, L].
        chunk_length: T.
    """
    num_rows, num_tokens = ops.shape(rows)
    if isinstance(num_tokens, int):
        length = min(chunk_length, num_tokens)
    else:  # A graph for rows of any length.
        length = ops.minimum(chunk_length, num_tokens)
    padding = ops.zeros((num_rows, -num_tokens % length), rows.dtype)
    filled = ops.concatenate([rows, padding], axis=1)
    return ops.reshape(filled, (num_rows, -1, length))


class Mean(keras.layers.Layer):
    """The mean of the chunks."""

    def call(self, pooled: Tensor, is_real: Tensor) -> Tensor:
        """Joins the vectors of a text's chunks.

        Args:
            pooled: float32 [B, C, W].
            is_real: float32 [B, C, 1], 0 for chunks that are all padding.

        Returns:
            [B, W].
        """
        return ops.sum(pooled * is_real, axis=1) / ops.sum(is_real, axis=1)


class Max(keras.layers.Layer):
    """The largest value of each element."""

    def call(self, pooled: Tensor, is_real: Tensor) -> Tensor:
        """Joins as `Mean.call` does."""
        # The pooler's tanh is above -1; a pooler without one may be below.
        lowest = ops.min(pooled, axis=1, keepdims=True)
        return ops.max(ops.where(is_real > 0, pooled, lowest), axis=1)


class Attention(keras.layers.Layer):
    """A mean whose weights are learned: softmax(u . tanh(V x + b)).

    Source: Yang et al. 2016, Hierarchical Attention Networks, 2.2.

    Args:
        config: of the encoder.
        initializer: of V and u.
    """

    def __init__(
        self,
        config: BertConfig,
        initializer: Initializer,
        name: str = "chunk_attention",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        width = config.hidden_size
        with keras.name_scope(name):
            self.kernel = keras.Variable(
                initializer, shape=(width, width), name="kernel"
            )
            self.bias = keras.Variable("zeros", shape=(width,), name="bias")
            self.query = keras.Variable(
                initializer, shape=(width, 1), name="query"
            )

    def call(self, pooled: Tensor, is_real: Tensor) -> Tensor:
        """Joins as `Mean.call` does."""
        hidden = ops.tanh(ops.matmul(pooled, self.kernel) + self.bias)
        scores = ops.matmul(hidden, self.query)
        scores = ops.where(is_real > 0, scores, -1e4)
        # A softmax. Keras' own warns of texts that are one chunk.
        total = ops.logsumexp(scores, axis=1, keepdims=True)
        return ops.sum(ops.exp(scores - total) * pooled, axis=1)


JOINS = {
    "max": lambda config, initializer: Max(),
    "mean": lambda config, initializer: Mean(),
    "attention": Attention,
}


class Chunks(keras.layers.Layer):
    """One vector of the chunks of each text, as a head's `pool`.

    Args:
        join: makes one vector of several, a value of `JOINS`.
        chunk_length: T.
    """

    def __init__(
        self, join: keras.layers.Layer, chunk_length: int, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.join = join
        self.chunk_length = chunk_length

    def call(self, pooled: Tensor, input_mask: Tensor) -> Tensor:
        """Maps [B*C, W], as [B, L] of texts were encoded, to float32 [B, W]."""
        mask = chunks(input_mask, self.chunk_length)
        # [B, C, 1]
        is_real = ops.cast(ops.max(mask, axis=2, keepdims=True), "float32")
        shape = (-1, ops.shape(mask)[1], pooled.shape[-1])
        return self.join(
            ops.reshape(ops.cast(pooled, "float32"), shape), is_real
        )
