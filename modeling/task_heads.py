"""Heads for fine-tuning, with the variables of google-research/bert's.

Shapes: B batch, T tokens, W width, N labels, C choices.
"""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from modeling.config import BertConfig
from modeling.dropout import Dropout
from modeling.encoder import Encoded
from modeling.initializers import Initializer
from modeling.tensor import Tensor

Batch = Mapping[str, Tensor]


class _Scores(keras.layers.Layer):
    """Dropout and one row of weights for each output, float32.

    The weights are named as run_classifier.py names them, without the name of
    a layer, and [N, W], the transpose of a Dense kernel.
    """

    per_token: bool

    def __init__(
        self,
        config: BertConfig,
        initializer: Initializer,
        num_outputs: int,
        name: str = "head",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.output_weights = keras.Variable(
            initializer,
            shape=(num_outputs, config.hidden_size),
            name="output_weights",
        )
        self.output_bias = keras.Variable(
            "zeros", shape=(num_outputs,), name="output_bias"
        )
        # The names decide what is dropped: Keras' own would count the models
        # of a process.
        rate = config.hidden_dropout_prob
        if not self.per_token:
            rate = config.classifier_dropout_rate
        self.dropout = Dropout(rate, name="dropout")

    def score(self, inputs: Tensor, dropout_seed: Tensor | None) -> Tensor:
        """Maps [..., W] to [..., N]."""
        inputs = ops.cast(inputs, "float32")
        dropped = self.dropout(inputs, seed=dropout_seed)
        weights = ops.transpose(self.output_weights)
        return ops.matmul(dropped, weights) + self.output_bias


class SequenceHead(_Scores):
    """Scores labels of each row, from its first token."""

    per_token = False
    # Maps the pooled [R, W] of the encoder's rows and `input_mask` to [B, W],
    # where a row of the batch is several of the encoder's.
    pool: keras.layers.Layer | None = None
    # Maps the sequence [B, T, W] and `input_mask` to [B, W], in place of what
    # the encoder pools.
    read: keras.layers.Layer | None = None

    def call(
        self, encoded: Encoded, batch: Batch, dropout_seed: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Returns {"logits": [B, N]}."""
        pooled = encoded.pooled_output
        if self.read:
            pooled = self.read(encoded.sequence_output, batch["input_mask"])
        if self.pool:
            pooled = self.pool(pooled, batch["input_mask"])
        return {"logits": self.score(pooled, dropout_seed)}


class ChoiceHead(_Scores):
    """Scores the texts of each row against one another."""

    per_token = False

    def __init__(
        self, config: BertConfig, initializer: Initializer, **kwargs: Any
    ) -> None:
        super().__init__(config, initializer, num_outputs=1, **kwargs)

    def call(
        self, encoded: Encoded, batch: Batch, dropout_seed: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Returns {"logits": [B, C]}; the encoder's rows are [B*C]."""
        scores = self.score(encoded.pooled_output, dropout_seed)
        num_choices = batch["input_ids"].shape[1]
        return {"logits": ops.reshape(scores, (-1, num_choices))}


class TokenHead(_Scores):
    """Scores labels of each token."""

    per_token = True

    def call(
        self, encoded: Encoded, batch: Batch, dropout_seed: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Returns {"logits": [B, T, N]}."""
        return {"logits": self.score(encoded.sequence_output, dropout_seed)}


class SpanHead(keras.layers.Layer):
    """Scores where an answer begins and where it ends."""

    per_token = True

    def __init__(
        self,
        config: BertConfig,
        initializer: Initializer,
        name: str = "cls",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.width = config.hidden_size
        self.initializer = initializer
        with keras.name_scope("cls"), keras.name_scope("squad"):
            self.output_weights = keras.Variable(
                initializer, shape=(2, self.width), name="output_weights"
            )
            self.output_bias = keras.Variable(
                "zeros", shape=(2,), name="output_bias"
            )
        self.dropout = Dropout(config.answer_dropout_rate, name="dropout")

    def call(
        self, encoded: Encoded, batch: Batch, dropout_seed: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Returns {"start_logits": [B, T], "end_logits": [B, T]}."""
        sequence = ops.cast(encoded.sequence_output, "float32")
        sequence = self.dropout(sequence, seed=dropout_seed)
        logits = ops.matmul(sequence, ops.transpose(self.output_weights))
        logits = logits + self.output_bias
        return {"start_logits": logits[..., 0], "end_logits": logits[..., 1]}
