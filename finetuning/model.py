"""A BERT with a task's head, as the training step and the predictor take it.

Shapes: B batch, C choices, T tokens.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from finetuning import batches
from finetuning.task import FEATURES, Task, Tensors, Terms
from modeling.bert import BertEncoder
from modeling.config import BertConfig
from modeling.initializers import TruncatedNormal
from training import precision


class Model:
    """An encoder, a head, and the terms of the loss.

    Create it in the strategy's scope.

    Args:
        config: of the encoder.
        task: makes the head and computes the terms.
        seed: decides the first weights.
        mixed_precision: a key of `precision.POLICIES`.
    """

    def __init__(
        self,
        config: BertConfig,
        task: Task,
        *,
        seed: int,
        mixed_precision: str,
    ):
        initializer = TruncatedNormal(config.initializer_range, seed)
        self.config = config
        self.mixed_precision = mixed_precision
        self.encoder = BertEncoder(
            config, initializer, dtype=precision.POLICIES[mixed_precision]
        )
        self.encoder.build()
        self.head = task.make_head(config, initializer)
        self.task = task

    @property
    def variables(self) -> list[keras.Variable]:
        return self.encoder.trainable_variables + self.head.trainable_variables

    @property
    def term_names(self) -> Sequence[str]:
        return self.task.term_names

    @property
    def per_token(self) -> bool:
        """Whether what `predict` returns is [B, T, ...]."""
        return self.head.per_token

    def trained_variables(
        self, *, freeze_encoder: bool, unfreeze_top_layers: int
    ) -> list[keras.Variable]:
        """Returns the variables to train, as the two flags say."""
        if not freeze_encoder:
            return self.variables
        layers = self.encoder.encoder.layers
        count = min(unfreeze_top_layers, len(layers))
        trained = [
            variable
            for layer in layers[len(layers) - count :]
            for variable in layer.trainable_variables
        ]
        if count:
            trained += self.encoder.pooler.trainable_variables
        return trained + self.head.trainable_variables

    def predict(self, batch: Tensors, dropout_seed: Any = None) -> Tensors:
        """Returns {name: float32 [B, ...]}, what the head makes of a batch."""
        features = (batch[name] for name in FEATURES)
        # The encoder takes the C texts of a row as rows of its own: [B*C, T].
        encoded = self.encoder(
            *(ops.reshape(x, (-1, x.shape[-1])) for x in features),
            dropout_seed=dropout_seed,
        )
        return self.head(encoded, batch, dropout_seed=dropout_seed)

    def compute_terms(self, batch: Tensors, dropout_seed: Any) -> Terms:
        """Returns the terms of one replica's batch; see `training.step`."""
        return self.task.compute_terms(self.predict(batch, dropout_seed), batch)

    def metrics(
        self, sums: Mapping[str, tuple[float, float]]
    ) -> dict[str, float]:
        """Maps {name: (numerator, denominator)} to the numbers to report."""
        means = {
            name: float(numerator / denominator) if denominator else 0.0
            for name, (numerator, denominator) in sums.items()
        }
        loss = sum(v for name, v in means.items() if name.endswith("loss"))
        return {"loss": loss} | means


def by_length(
    step: Callable[[Tensors], None], lengths: Sequence[int], *, per_token: bool
) -> Callable[[Tensors], None]:
    """Returns a step that cuts its batch to the length it says is enough.

    Args:
        step: takes the batch of one replica.
        lengths: from `batches.choose_lengths`.
        per_token: see `batches.trim`.
    """

    def run(batch):
        batch = dict(batch)
        index = batch.pop(batches.LENGTH_INDEX, None)
        if index is None:
            step(batch)
            return
        tf.switch_case(
            index,
            [
                functools.partial(_run, step, batch, length, per_token)
                for length in lengths
            ],
        )

    return run


def _run(step, batch, length, per_token):
    step(batches.trim(batch, length, per_token=per_token))
    return tf.constant(0)  # A branch must return something.
