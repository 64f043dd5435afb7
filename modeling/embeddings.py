"""The embeddings of BERT (Devlin et al. 2018, section 3).

Shapes: B batch, T tokens, E embedding width, which is the layers' in BERT.
"""

from typing import Any

import keras
from keras import ops

from modeling import transformer
from modeling.config import BertConfig
from modeling.dropout import Dropout
from modeling.initializers import Initializer
from modeling.tensor import Tensor


class BertEmbeddings(keras.layers.Layer):
    """The sum of word, segment and position embeddings, normalised."""

    def __init__(
        self, config: BertConfig, initializer: Initializer, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.config = config
        self.initializer = initializer
        self.layer_norm = transformer.layer_norm(config)
        self.dropout = Dropout(
            config.hidden_dropout_prob, dtype=self.dtype_policy, name="dropout"
        )

    def build(self, input_ids_shape: tuple[int | None, ...]) -> None:
        width = self.config.embedding_size
        num_positions = self.config.max_position_embeddings
        if self.config.rotates:
            num_positions = 0
        self.word_embeddings, self.token_type_embeddings, self.positions = (
            self.add_weight(
                shape=(rows, width), initializer=self.initializer, name=name
            )
            if rows
            else None
            for name, rows in (
                ("word_embeddings", self.config.vocab_size),
                ("token_type_embeddings", self.config.type_vocab_size),
                ("position_embeddings", num_positions),
            )
        )
        self.layer_norm.build((*input_ids_shape, width))

    def call(
        self,
        input_ids: Tensor,
        segment_ids: Tensor,
        positions: Tensor | None = None,
        dropout_seed: Tensor | None = None,
    ) -> Tensor:
        """Maps two [B, T] of ids to [B, T, E].

        `positions`, [B, T], are 0, 1, ... where they are not given.
        """
        embedded = ops.take(self.word_embeddings, input_ids, axis=0)
        if self.token_type_embeddings is not None:
            embedded = embedded + self._of_segments(segment_ids)
        if self.positions is not None:
            embedded = embedded + self._of_places(input_ids, positions)
        normalised = self.layer_norm(embedded)
        return self.dropout(normalised, seed=dropout_seed)

    def _of_places(self, input_ids: Tensor, positions: Tensor | None) -> Tensor:
        first = self.config.first_position
        if positions is None:
            return _on_each_row(self.positions, input_ids, first)
        return ops.take(self.positions, positions + first, axis=0)

    def _of_segments(self, segment_ids: Tensor) -> Tensor:
        num_segments = self.config.type_vocab_size
        if num_segments == 1:
            # Of a model that knows no second segment both are the first.
            segment_ids = ops.zeros_like(segment_ids)
        # We multiply by one-hot rows: for a table of two rows that is faster
        # than a gather, and its gradient is faster than a scatter.
        return ops.matmul(
            ops.one_hot(segment_ids, num_segments, dtype=self.compute_dtype),
            self.token_type_embeddings,
        )


def _on_each_row(table: Tensor, input_ids: Tensor, first: int) -> Tensor:
    """Returns rows of a table from `first` on for each sequence; [B, T, W].

    As a product: its gradient is one, too. The gradient of a broadcast would be
    a sum over the batch, for which a compiler turns the whole stack of layers
    round, and back again for each product of matrices.
    """
    rows, tokens = ops.shape(input_ids)
    placed = ops.reshape(table[first : first + tokens], (1, -1))
    ones = ops.ones((rows, 1), dtype=placed.dtype)
    return ops.reshape(ops.matmul(ones, placed), (rows, tokens, -1))
