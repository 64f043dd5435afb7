"""The pretraining heads of BERT.

Shapes: B batch, T tokens, W width, E embedding width, P predictions,
V vocabulary.
"""

from typing import Any

import keras
from keras import ops

from modeling import activations, dense, transformer
from modeling.config import BertConfig
from modeling.dense import Dense
from modeling.encoder import Encoded
from modeling.initializers import Initializer
from modeling.tensor import Tensor, rows_at

Shape = tuple[int | None, ...]


class MaskedLmHead(keras.layers.Layer):
    """Scores every word of the vocabulary at the masked positions only."""

    def __init__(
        self, config: BertConfig, initializer: Initializer, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.config = config
        # To the width of the word embeddings, with which it is multiplied.
        self.dense = Dense(
            config.embedding_size,
            activation=activations.ACTIVATIONS[config.hidden_act],
            kernel_initializer=initializer,
            dtype=self.dtype_policy,
            name="dense",
        )
        self.layer_norm = transformer.layer_norm(config)

    def build(self, sequence_shape: Shape) -> None:
        with keras.name_scope("transform"):
            self.dense.build(sequence_shape)
            self.layer_norm.build(
                (*sequence_shape[:-1], self.config.embedding_size)
            )
        self.output_bias = self.add_weight(
            shape=(self.config.vocab_size,),
            initializer="zeros",
            autocast=False,
            name="output_bias",
        )

    def call(
        self,
        sequence_output: Tensor,
        positions: Tensor,
        word_embeddings: Tensor,
    ) -> Tensor:
        """Returns float32 logits.

        Args:
            sequence_output: [B, T, W].
            positions: [B, P] int32.
            word_embeddings: [V, E]: the output weights are the input ones.

        Returns:
            [B, P, V].
        """
        masked = rows_at(sequence_output, positions)  # [B*P, W]
        logits = dense.times_transposed(self.transform(masked), word_embeddings)
        logits = ops.cast(logits, "float32") + self.output_bias
        return ops.reshape(
            logits, (*ops.shape(positions), self.config.vocab_size)
        )

    def transform(self, rows: Tensor) -> Tensor:
        """Maps rows [R, W] to [R, E], which word embeddings are scored by."""
        return ops.cast(self.layer_norm(self.dense(rows)), self.compute_dtype)


class NextSentenceHead(keras.layers.Layer):
    """Scores "is the next sentence" (0) and "is a random one" (1)."""

    def __init__(
        self, config: BertConfig, initializer: Initializer, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.width = config.hidden_size
        self.initializer = initializer

    def build(self, pooled_shape: Shape) -> None:
        # [2, W], the transpose of a Dense kernel, as in the published files.
        self.output_weights = self.add_weight(
            shape=(2, self.width),
            initializer=self.initializer,
            name="output_weights",
        )
        self.output_bias = self.add_weight(
            shape=(2,),
            initializer="zeros",
            autocast=False,
            name="output_bias",
        )

    def call(self, pooled_output: Tensor) -> Tensor:
        """Maps [..., W] to float32 logits [..., 2]."""
        logits = ops.matmul(pooled_output, ops.transpose(self.output_weights))
        return ops.cast(logits, "float32") + self.output_bias


class PretrainingHeads(keras.layers.Layer):
    """Masked language model and next sentence prediction.

    The latter is left out for families whose models have no such head.
    """

    def __init__(
        self,
        config: BertConfig,
        initializer: Initializer,
        name: str = "cls",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.width = config.hidden_size
        self.masked_lm = MaskedLmHead(
            config, initializer, dtype=self.dtype_policy, name="predictions"
        )
        self.next_sentence = None
        if config.has_pooler:
            self.next_sentence = NextSentenceHead(
                config,
                initializer,
                dtype=self.variable_dtype,
                name="seq_relationship",
            )

    def build(self, sequence_shape: Shape = (None, None)) -> None:
        self.masked_lm.build((*sequence_shape[:2], self.width))
        if self.next_sentence:
            self.next_sentence.build((sequence_shape[0], self.width))

    def call(
        self, encoded: Encoded, positions: Tensor, word_embeddings: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """Returns masked LM logits [B, P, V], next sentence ones [..., 2]."""
        next_sentence = None
        if self.next_sentence:
            next_sentence = self.next_sentence(encoded.pooled_output)
        masked_lm = self.masked_lm(
            encoded.sequence_output, positions, word_embeddings
        )
        return masked_lm, next_sentence
