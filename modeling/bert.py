"""BERT: embeddings, transformer encoder, pooler (Devlin et al. 2018).

Shapes: B batch, T tokens, W width.
"""

import keras
from keras import ops

from modeling import dropout, transformer


class BertEmbeddings(keras.layers.Layer):
    """The sum of word, segment and position embeddings, normalised."""

    def __init__(self, config, initializer, **kwargs):
        super().__init__(**kwargs)
        self.config = config
        self.initializer = initializer
        self.layer_norm = transformer.layer_norm()
        self.dropout = dropout.Dropout(
            config.hidden_dropout_prob, dtype=self.dtype_policy, name="dropout"
        )

    def build(self, input_ids_shape):
        width = self.config.hidden_size
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

    def call(self, input_ids, segment_ids, positions=None, dropout_seed=None):
        """Maps two [B, T] of ids to [B, T, W].

        `positions`, [B, T], are 0, 1, ... where they are not given.
        """
        words = ops.take(self.word_embeddings, input_ids, axis=0)
        # A product with one-hot rows: faster than a gather, and its gradient
        # faster than a scatter, for a table of two rows.
        segments = ops.matmul(
            ops.one_hot(
                segment_ids,
                self.config.type_vocab_size,
                dtype=self.compute_dtype,
            ),
            self.token_type_embeddings,
        )
        if positions is None:
            placed = self.positions[: ops.shape(input_ids)[1]]
        else:
            placed = ops.take(self.positions, positions, axis=0)
        embedded = words + segments + placed
        return self.dropout(self.layer_norm(embedded), seed=dropout_seed)


class Pooler(keras.layers.Layer):
    """A dense tanh layer on the first token of each sequence."""

    def __init__(self, config, initializer, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(
            config.hidden_size,
            activation="tanh",
            kernel_initializer=initializer,
            dtype=self.dtype_policy,
            name="dense",
        )

    def build(self, inputs_shape):
        self.dense.build((inputs_shape[0], inputs_shape[2]))

    def call(self, inputs, first_tokens=None):
        """Maps [B, T, W] to [B, W], or [B, S, W] with `first_tokens` [B, S]."""
        if first_tokens is None:
            return self.dense(inputs[:, 0])
        pooled = self.dense(rows_at(inputs, first_tokens))
        return ops.reshape(pooled, (*ops.shape(first_tokens), self.dense.units))


class BertEncoder(keras.layers.Layer):
    """BERT without its pretraining heads.

    Args:
        config: a `BertConfig`.
        initializer: first values of kernels and embeddings.
        recompute: whether the backward pass computes the inside of each layer
            again instead of having it kept.
        has_pooler: whether the first token of each sequence is pooled.
        dtype: a Keras dtype policy: "float32", or a mixed one, in which
            variables, embeddings, softmax, layer norm and pooler are float32.
    """

    def __init__(
        self,
        config,
        initializer,
        recompute=False,
        has_pooler=True,
        name="bert",
        **kwargs,
    ):
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

    def build(self, input_ids_shape=(None, None)):
        self.embeddings.build(input_ids_shape)
        embedded_shape = (*input_ids_shape, self.config.hidden_size)
        self.encoder.build(embedded_shape)
        if self.pooler:
            self.pooler.build(embedded_shape)

    def call(
        self,
        input_ids,
        input_mask,
        segment_ids,
        first_tokens=None,
        dropout_seed=None,
    ):
        """Encodes a batch.

        With `first_tokens` a row holds several sequences, one behind another:
        none attends to another, and in each the positions begin at 0.

        Args:
            input_ids: [B, T] int32.
            input_mask: [B, T] int32, 1 for real tokens and 0 for padding; or
                the number of the sequence, from 1 on, in place of 1.
            segment_ids: [B, T] int32.
            first_tokens: [B, S] int32, where the sequences begin.
            dropout_seed: an integer scalar that no other step and replica
                uses, or None for inference.

        Returns:
            A dict: "sequence_output" [B, T, W], "pooled_output" [B, W] (or
            [B, S, W]), "layer_outputs" a list of [B, T, W],
            "embedding_output" [B, T, W].
        """
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
        )
        pooled = None
        if self.pooler:
            pooled = self.pooler(layer_outputs[-1], first_tokens)
        return {
            "embedding_output": embedded,
            "layer_outputs": layer_outputs,
            "sequence_output": layer_outputs[-1],
            "pooled_output": pooled,
        }


def rows_at(sequence, positions):
    """Gathers [B*P, W] from [B, T, W] at `positions` [B, P]."""
    # `ops.shape` gives integers where the shape is known, as in training, and
    # tensors where it is not, as in a server: one model for both.
    batch_size, num_tokens, width = ops.shape(sequence)
    starts = ops.arange(batch_size, dtype="int32")[:, None] * num_tokens
    rows = ops.reshape(ops.cast(positions, "int32") + starts, (-1,))
    return ops.take(ops.reshape(sequence, (-1, width)), rows, axis=0)


def _positions(numbers, first_tokens):
    """The place of each token in its sequence, [B, T]; some for padding."""
    num_tokens = ops.shape(numbers)[1]
    num_sequences = ops.shape(first_tokens)[1]
    is_in = numbers[:, :, None] == ops.arange(1, num_sequences + 1)
    starts = ops.sum(ops.where(is_in, first_tokens[:, None], 0), axis=2)
    return ops.arange(num_tokens) - starts
