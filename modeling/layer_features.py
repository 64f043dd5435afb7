"""What a head reads of the layers of an encoder, as BERT's table 7 has it.

Shapes: B batch, T tokens, W width, K layers.
"""

import dataclasses
from typing import Any

import keras
from keras import ops

from modeling.config import BertConfig
from modeling.encoder import Encoded
from modeling.task_heads import Batch
from modeling.tensor import Tensor

# {name: (the layers, counted from the last one; whether they are summed)}
CHOICES: dict[str, tuple[slice, bool]] = {
    "second_to_last": (slice(-2, -1), False),
    "last": (slice(-1, None), False),
    "sum_last_four": (slice(-4, None), True),
    "concat_last_four": (slice(-4, None), False),
    "sum_all": (slice(None), True),
}
EMBEDDINGS = "embeddings"


class LayerFeatures(keras.layers.Layer):
    """Makes one sequence of an encoder's layers.

    A sum is gamma * sum of softmax(s)_k x_k, with gamma and s learned.
    Source: Peters et al. 2018, Deep contextualized word representations, 3.2.

    Args:
        config: of the encoder.
        choice: a key of `CHOICES`, or `EMBEDDINGS`, what the first layer reads.

    Raises:
        ValueError: the encoder has fewer layers.
    """

    def __init__(
        self,
        config: BertConfig,
        choice: str,
        name: str = "layer_features",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.choice = choice
        chosen, is_sum = CHOICES.get(choice, (slice(0, 0), False))
        begin = chosen.start or 0
        if -begin > config.num_hidden_layers:
            raise ValueError(
                f"--head_layers={choice} wants {-begin} layers, and the model "
                f"has {config.num_hidden_layers}"
            )
        count = len(range(*chosen.indices(config.num_hidden_layers)))
        # What a layer on top of it takes for the width of its input.
        self.output_config = dataclasses.replace(
            config,
            hidden_size=config.hidden_size * (1 if is_sum else max(count, 1)),
            num_attention_heads=1,
        )
        self.scores = self.gamma = None
        if is_sum:
            with keras.name_scope(name):
                self.scores = keras.Variable(
                    "zeros", shape=(count,), name="scores"
                )
                self.gamma = keras.Variable("ones", shape=(), name="gamma")

    def call(self, encoded: Encoded) -> Tensor:
        """Returns float32 [B, T, W], or [B, T, K*W] of layers side by side."""
        if self.choice == EMBEDDINGS:
            return ops.cast(encoded.embedding_output, "float32")
        chosen, is_sum = CHOICES[self.choice]
        layers = [ops.cast(x, "float32") for x in encoded.layer_outputs[chosen]]
        if not is_sum:
            return ops.concatenate(layers, axis=-1)
        shares = ops.exp(self.scores - ops.logsumexp(self.scores))
        mixed = sum(shares[k] * layer for k, layer in enumerate(layers))
        return self.gamma * mixed


class FeaturesHead(keras.layers.Layer):
    """A head that reads `LayerFeatures` in place of the last layer.

    Args:
        features: of the encoder.
        head: of words, made for `features.output_config`.
    """

    per_token = True

    def __init__(
        self,
        features: LayerFeatures,
        head: keras.layers.Layer,
        name: str = "reader",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.features = features
        self.head = head

    def call(
        self, encoded: Encoded, batch: Batch, dropout_seed: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Returns what the head does."""
        sequence = self.features(encoded)
        return self.head(Encoded(sequence), batch, dropout_seed=dropout_seed)

    def log_likelihood(
        self, outputs: dict[str, Tensor], batch: Batch
    ) -> Tensor:
        """Returns that of the labels of the batch, [B]; of a chain only."""
        return self.head.log_likelihood(outputs, batch)
