"""BERT: embeddings, transformer encoder, pooler (Devlin et al. 2018).

Shapes: B batch, T tokens, S packed sequences, W width, E embedding width, which
is W in BERT.
"""

import contextlib
import re
from collections.abc import Sequence
from typing import Any, ClassVar

import keras
from keras import ops

from modeling import activations, transformer
from modeling.config import BertConfig
from modeling.dense import Dense
from modeling.dropout import Dropout
from modeling.embeddings import BertEmbeddings
from modeling.encoder import Encoded, Encoder
from modeling.initializers import Initializer
from modeling.tensor import Tensor, rows_at
from modeling.token_dropping import Dropping

_LAYER = re.compile(r"/encoder/layer_(\d+)/")


class Pooler(keras.layers.Layer):
    """A dense layer on one token of each sequence, tanh in BERT."""

    def __init__(
        self, config: BertConfig, initializer: Initializer, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.dense = Dense(
            config.hidden_size,
            activation=activations.ACTIVATIONS[config.pooler_act],
            kernel_initializer=initializer,
            dtype=self.dtype_policy,
            name="dense",
        )
        self.dropout = None
        if config.drops_before_pooler:
            self.dropout = Dropout(
                config.classifier_dropout_rate,
                dtype=self.dtype_policy,
                name="dropout",
            )

    def build(self, inputs_shape: tuple[int | None, ...]) -> None:
        self.dense.build((inputs_shape[0], inputs_shape[2]))

    def call(
        self,
        inputs: Tensor,
        first_tokens: Tensor | None = None,
        dropout_seed: Tensor | None = None,
    ) -> Tensor:
        """Maps [B, T, W] to [B, W], or [B, S, W] with `first_tokens` [B, S]."""
        if first_tokens is None:
            rows = inputs[:, 0]
        else:
            rows = rows_at(inputs, first_tokens)
        if self.dropout:
            rows = self.dropout(rows, seed=dropout_seed)
        pooled = self.dense(rows)
        if first_tokens is None:
            return pooled
        return ops.reshape(pooled, (*ops.shape(first_tokens), self.dense.units))


class BertEncoder(Encoder):
    """BERT without its pretraining heads.

    Embeddings that are not as wide as the layers are projected to their width.

    Args:
        config: its sizes.
        initializer: first values of kernels and embeddings.
        recompute: whether the backward pass computes the inside of each layer
            again instead of having it kept.
        has_pooler: whether the first token of each sequence is pooled.
        embeddings: those of another encoder, to share with it.
        dtype: a Keras dtype policy: "float32", or a mixed one, in which
            variables, embeddings, softmax, layer norm and pooler are float32.
    """

    # Of the names of all variables.
    scope: ClassVar[str] = "bert"
    # Below it, of the projection of the embeddings.
    projection_name: ClassVar[str] = "embeddings_project"
    stack: ClassVar[type[transformer.TransformerEncoder]] = (
        transformer.TransformerEncoder
    )

    def __init__(
        self,
        config: BertConfig,
        initializer: Initializer,
        recompute: bool = False,
        has_pooler: bool = True,
        embeddings: BertEmbeddings | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name or self.scope, **kwargs)
        self.config = config
        self.embeddings = embeddings or BertEmbeddings(
            config, initializer, dtype=self.variable_dtype, name="embeddings"
        )
        self.projection = None
        if config.embedding_size != config.hidden_size:
            self.projection = Dense(
                config.hidden_size,
                kernel_initializer=initializer,
                dtype=self.dtype_policy,
                name=self.projection_name.rpartition("/")[2],
            )
        self.encoder = self.stack(
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
        if not self.embeddings.built:
            self.embeddings.build(input_ids_shape)
        if self.projection:
            scope = self.projection_name.rpartition("/")[0]
            with keras.name_scope(scope) if scope else contextlib.nullcontext():
                self.projection.build(
                    (*input_ids_shape, self.config.embedding_size)
                )
        layers_shape = (*input_ids_shape, self.config.hidden_size)
        self.encoder.build(layers_shape)
        if self.pooler:
            self.pooler.build(layers_shape)

    def call(
        self,
        input_ids: Tensor,
        input_mask: Tensor,
        segment_ids: Tensor,
        first_tokens: Tensor | None = None,
        dropout_seed: Tensor | None = None,
        num_layers: int | None = None,
        dropping: Dropping | None = None,
    ) -> Encoded:
        """Encodes a batch; see `Encoder`."""
        positions = _positions(input_mask, first_tokens)
        embedded = self.embeddings(
            input_ids, segment_ids, positions, dropout_seed=dropout_seed
        )
        if self.projection:
            embedded = self.projection(embedded)
        layer_outputs = self.encoder(
            embedded,
            input_mask,
            positions=positions,
            dropout_seed=dropout_seed,
            num_layers=num_layers,
            dropping=dropping,
        )
        last, pooled = layer_outputs[-1], None
        if self.pooler:
            pooled = self._pool(last, input_mask, first_tokens, dropout_seed)
        return Encoded(last, pooled, layer_outputs, embedded)

    def _pool(self, sequence, input_mask, first_tokens, dropout_seed):
        """Pools the first token of each sequence, the last one of a decoder.

        The first one of a decoder sees nothing, and is the same in every text.
        """
        assert self.pooler is not None
        tokens = first_tokens
        if self.config.is_decoder:
            tokens = _last_tokens(input_mask, first_tokens)
        pooled = self.pooler(sequence, tokens, dropout_seed=dropout_seed)
        is_one = first_tokens is None and tokens is not None
        return ops.squeeze(pooled, axis=1) if is_one else pooled

    @property
    def word_embeddings(self) -> keras.Variable:
        return self.embeddings.word_embeddings

    @property
    def position_embeddings(self) -> keras.Variable | None:
        return self.embeddings.positions

    @property
    def layers(self) -> Sequence[keras.layers.Layer]:
        return self.encoder.layers

    def attention_scores(
        self,
        number: int,
        inputs: Tensor,
        input_mask: Tensor,
        first_tokens: Tensor | None = None,
    ) -> Tensor:
        """Returns the scores of a layer; see `Encoder`."""
        positions = _positions(input_mask, first_tokens)
        return self.layers[number].self_attention.scores(
            inputs, **self.encoder.surroundings(input_mask, positions)
        )

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
        if "/embeddings/" in path or f"/{self.projection_name}/" in path:
            return 0
        if "/pooler/" in path:
            return self.head_depth - 1
        return self.head_depth

    def forward_flops(
        self, max_seq_length: int, num_layers: int | None = None
    ) -> int:
        width = self.config.hidden_size
        products = len(self.layers[:num_layers]) * self.layer_products(
            max_seq_length
        )
        if self.projection:
            products += max_seq_length * self.config.embedding_size * width
        if self.pooler:
            products += width**2
        return 2 * products

    def layer_products(self, max_seq_length: int) -> int:
        """Returns the multiplications of one layer for one sequence."""
        width = self.config.hidden_size
        # Query, key, value and output: 4 W^2. Scores and their use: 2 T W.
        return max_seq_length * (
            4 * width**2
            + 2 * max_seq_length * width
            + 2 * width * self.config.intermediate_size
        )


def _last_tokens(numbers: Tensor, first_tokens: Tensor | None) -> Tensor:
    """Returns where sequences end, [B, S], or [B, 1] of rows of one."""
    num_sequences = 1
    if first_tokens is not None:
        num_sequences = ops.shape(first_tokens)[1]
    place = ops.arange(ops.shape(numbers)[1], dtype="int32")[:, None]
    is_in = numbers[:, :, None] == ops.arange(1, num_sequences + 1)
    return ops.max(ops.where(is_in, place, 0), axis=1)


def _positions(numbers: Tensor, first_tokens: Tensor | None) -> Tensor | None:
    """Returns the place of each token in its sequence, [B, T].

    Padding gets places, too, which nobody reads. Rows of one sequence, without
    `first_tokens`, need none.
    """
    if first_tokens is None:
        return None
    num_tokens = ops.shape(numbers)[1]
    num_sequences = ops.shape(first_tokens)[1]
    is_in = numbers[:, :, None] == ops.arange(1, num_sequences + 1)
    starts = ops.sum(ops.where(is_in, first_tokens[:, None], 0), axis=2)
    return ops.arange(num_tokens) - starts
