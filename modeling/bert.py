"""BERT: embeddings, transformer encoder, pooler (Devlin et al. 2018).

Shapes: B batch, T tokens, S packed sequences, W width, E embedding width, which
is W in BERT.
"""

import re
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from modeling import transformer
from modeling.config import BertConfig
from modeling.dense import Dense
from modeling.dropout import Dropout
from modeling.encoder import Encoded, Encoder
from modeling.initializers import Initializer
from modeling.tensor import Tensor

_LAYER = re.compile(r"/encoder/layer_(\d+)/")


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
        self.word_embeddings, self.token_type_embeddings, self.positions = (
            self.add_weight(
                shape=(rows, width), initializer=self.initializer, name=name
            )
            for name, rows in (
                ("word_embeddings", self.config.vocab_size),
                ("token_type_embeddings", self.config.type_vocab_size),
                ("position_embeddings", self.config.max_position_embeddings),
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
        words = ops.take(self.word_embeddings, input_ids, axis=0)
        # We multiply by one-hot rows: for a table of two rows that is faster
        # than a gather, and its gradient is faster than a scatter.
        segments = ops.matmul(
            ops.one_hot(
                segment_ids,
                self.config.type_vocab_size,
                dtype=self.compute_dtype,
            ),
            self.token_type_embeddings,
        )
        if positions is None:
            placed = _on_each_row(self.positions, input_ids)
        else:
            placed = ops.take(self.positions, positions, axis=0)
        embedded = words + segments + placed
        return self.dropout(self.layer_norm(embedded), seed=dropout_seed)


class Pooler(keras.layers.Layer):
    """A dense tanh layer on the first token of each sequence."""

    def __init__(
        self, config: BertConfig, initializer: Initializer, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.dense = Dense(
            config.hidden_size,
            activation="tanh",
            kernel_initializer=initializer,
            dtype=self.dtype_policy,
            name="dense",
        )

    def build(self, inputs_shape: tuple[int | None, ...]) -> None:
        self.dense.build((inputs_shape[0], inputs_shape[2]))

    def call(
        self, inputs: Tensor, first_tokens: Tensor | None = None
    ) -> Tensor:
        """Maps [B, T, W] to [B, W], or [B, S, W] with `first_tokens` [B, S]."""
        if first_tokens is None:
            return self.dense(inputs[:, 0])
        pooled = self.dense(rows_at(inputs, first_tokens))
        return ops.reshape(pooled, (*ops.shape(first_tokens), self.dense.units))


class BertEncoder(Encoder):
    """BERT without its pretraining heads.

    Args:
        config: its sizes.
        initializer: first values of kernels and embeddings.
        recompute: whether the backward pass computes the inside of each layer
            again instead of having it kept.
        has_pooler: whether the first token of each sequence is pooled.
        dtype: a Keras dtype policy: "float32", or a mixed one, in which
            variables, embeddings, softmax, layer norm and pooler are float32.
    """

    def __init__(
        self,
        config: BertConfig,
        initializer: Initializer,
        recompute: bool = False,
        has_pooler: bool = True,
        name: str = "bert",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.config = config
        self.embeddings = BertEmbeddings(
            config, initializer, dtype=self.variable_dtype, name="embeddings"
        )
        self.encoder = transformer.TransformerEncoder(
            config,
            initializer,
            recompute=recompute,
            dtype=self.dtype_policy,
            name="encoder",
        )
        self.pooler = None
        if has_pooler:
            self.pooler = Pooler(
                config, initializer, dtype=self.variable_dtype, name="pooler"
            )

    def build(
        self, input_ids_shape: tuple[int | None, ...] = (None, None)
    ) -> None:
        self.embeddings.build(input_ids_shape)
        self.encoder.build((*input_ids_shape, self.config.embedding_size))
        if self.pooler:
            self.pooler.build((*input_ids_shape, self.config.hidden_size))

    def call(
        self,
        input_ids: Tensor,
        input_mask: Tensor,
        segment_ids: Tensor,
        first_tokens: Tensor | None = None,
        dropout_seed: Tensor | None = None,
        num_layers: int | None = None,
    ) -> Encoded:
        """Encodes a batch; see `Encoder`."""
        is_packed = first_tokens is not None
        positions = _positions(input_mask, first_tokens) if is_packed else None
        embedded = self.embeddings(
            input_ids, segment_ids, positions, dropout_seed=dropout_seed
        )
        layer_outputs = self.encoder(
            embedded,
            input_mask,
            is_packed=is_packed,
            dropout_seed=dropout_seed,
            num_layers=num_layers,
        )
        last, pooled = layer_outputs[-1], None
        if self.pooler:
            pooled = self.pooler(last, first_tokens)
        return Encoded(last, pooled, layer_outputs, embedded)

    @property
    def word_embeddings(self) -> keras.Variable:
        return self.embeddings.word_embeddings

    @property
    def position_embeddings(self) -> keras.Variable:
        return self.embeddings.positions

    @property
    def layers(self) -> Sequence[keras.layers.Layer]:
        return self.encoder.layers

    def top_layers(self, count: int) -> list[keras.Variable]:
        if not count:
            return []
        trained = [*self.layers[-count:], *filter(None, [self.pooler])]
        return [x for layer in trained for x in layer.trainable_variables]

    def depth_of(self, path: str) -> int:
        """Returns the depth of a variable, by ELECTRA's rule.

        It is 0 for the embeddings, i + 1 for layer i and the number of layers
        + 2 for the heads (Clark et al. 2020, optimization.py). The pooler,
        which ELECTRA has not, is between the layers and the heads.
        """
        layer = _LAYER.search(path)
        if layer:
            return int(layer[1]) + 1
        if "/embeddings/" in path:
            return 0
        if "/pooler/" in path:
            return self.head_depth - 1
        return self.head_depth

    def forward_flops(
        self, max_seq_length: int, num_layers: int | None = None
    ) -> int:
        width = self.config.hidden_size
        # Query, key, value and output: 4 W^2. Scores and their use: 2 T W.
        layer = max_seq_length * (
            4 * width**2
            + 2 * max_seq_length * width
            + 2 * width * self.config.intermediate_size
        )
        return 2 * (len(self.layers[:num_layers]) * layer + width**2)


def _on_each_row(table: Tensor, input_ids: Tensor) -> Tensor:
    """Returns the first rows of a table for each sequence; [B, T, W].

    As a product: its gradient is one, too. The gradient of a broadcast would be
    a sum over the batch, for which a compiler turns the whole stack of layers
    round, and back again for each product of matrices.
    """
    rows, tokens = ops.shape(input_ids)
    placed = ops.reshape(table[:tokens], (1, -1))
    ones = ops.ones((rows, 1), dtype=placed.dtype)
    return ops.reshape(ops.matmul(ones, placed), (rows, tokens, -1))


def rows_at(sequence: Tensor, positions: Tensor) -> Tensor:
    """Gathers [B*P, W] from [B, T, W] at `positions` [B, P]."""
    # `ops.shape` gives integers where the shape is known, as in training, and
    # tensors where it is not, as in a server: one model serves both.
    batch_size, num_tokens, width = ops.shape(sequence)
    starts = ops.arange(batch_size, dtype="int32")[:, None] * num_tokens
    rows = ops.reshape(ops.cast(positions, "int32") + starts, (-1,))
    return ops.take(ops.reshape(sequence, (-1, width)), rows, axis=0)


def _positions(numbers: Tensor, first_tokens: Tensor) -> Tensor:
    """Returns the place of each token in its sequence, [B, T].

    Padding gets places, too, which nobody reads.
    """
    num_tokens = ops.shape(numbers)[1]
    num_sequences = ops.shape(first_tokens)[1]
    is_in = numbers[:, :, None] == ops.arange(1, num_sequences + 1)
    starts = ops.sum(ops.where(is_in, first_tokens[:, None], 0), axis=2)
    return ops.arange(num_tokens) - starts
