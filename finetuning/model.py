"""A BERT with a task's head, as the training step and the predictor take it.

Shapes: B batch, C choices, T tokens.
"""

import functools
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from finetuning import batches
from finetuning.config import FinetuningConfig
from finetuning.task import FEATURES, Task, Tensors, Terms
from modeling import families, long_texts
from modeling.config import BertConfig
from modeling.encoder import Encoded, Encoder
from modeling.initializers import TruncatedNormal
from training import precision
from training.compilation import ReplicaStep
from training.objective import Objective


class Model(Objective):
    """An encoder, a task's head, and the terms of its loss.

    Create it in the strategy's scope.

    Args:
        architecture: the shape of the encoder.
        task: makes the head and computes the terms.
        seed: decides the first weights.
        mixed_precision: a key of `precision.POLICIES`.
        freeze_encoder: whether the head alone is trained.
        unfreeze_top_layers: how many layers are trained after all.
    """

    def __init__(
        self,
        architecture: BertConfig,
        task: Task,
        *,
        seed: int,
        mixed_precision: str,
        freeze_encoder: bool = False,
        unfreeze_top_layers: int = 0,
    ):
        initializer = TruncatedNormal(architecture.initializer_range, seed)
        self.architecture = architecture
        self.mixed_precision = mixed_precision
        self.encoder = families.make_encoder(
            architecture, initializer, dtype=precision.POLICIES[mixed_precision]
        )
        self.head = task.make_head(architecture, initializer)
        self.task = task
        # {batch size: what `evaluation` computes rows with}
        self.predictors: dict[int, Any] = {}
        self._trained_layers = unfreeze_top_layers if freeze_encoder else None

    @classmethod
    def of(
        cls,
        config: FinetuningConfig,
        architecture: BertConfig,
        task: Task,
        devices: tf.distribute.Strategy,
    ) -> "Model":
        """Returns the model that the flags ask for, on its devices."""
        with devices.scope():
            return cls(
                architecture,
                task,
                seed=config.seed,
                mixed_precision=precision.choose(
                    config.mixed_precision, devices
                ),
                freeze_encoder=config.freeze_encoder,
                unfreeze_top_layers=config.unfreeze_top_layers,
            )

    @property
    def saved(self) -> list[keras.Variable]:
        return self.encoder.trainable_variables + self.head.trainable_variables

    @property
    def trained(self) -> list[keras.Variable]:
        if self._trained_layers is None:
            return self.saved
        trained = self.encoder.top_layers(self._trained_layers)
        return trained + self.head.trainable_variables

    @property
    def width(self) -> int:
        return self.architecture.hidden_size

    @property
    def head_depth(self) -> int:
        return self.encoder.head_depth

    def depth_of(self, path: str) -> int:
        return self.encoder.depth_of(path)

    @property
    def term_names(self) -> Sequence[str]:
        return self.task.term_names

    @property
    def per_token(self) -> bool:
        """Whether what `predict` returns is [B, T, ...]."""
        return self.head.per_token

    @property
    def inputs(self) -> Sequence[str]:
        """The names of the rows that `predict` reads."""
        return *FEATURES, *self.task.head_inputs

    def features(self, batch: Tensors) -> list[Any]:
        """Returns `FEATURES` of a batch, [B, T], or [B, C, T] of C texts."""
        features = [batch[name] for name in FEATURES]
        if self.task.chunk_length:
            features = [
                long_texts.chunks(x, self.task.chunk_length) for x in features
            ]
        return features

    def predict(
        self, batch: Tensors, dropout_seed: tf.Tensor | None = None
    ) -> Tensors:
        """Returns {name: float32 [B, ...]}, what the head makes of a batch."""
        # What is frozen and read in parts drops nothing.
        is_fixed = self._trained_layers == 0 and self.task.reads_features
        encoded = encode(
            self.encoder,
            self.features(batch),
            None if is_fixed else dropout_seed,
        )
        return self.head(encoded, batch, dropout_seed=dropout_seed)

    def compute_terms(
        self, batch: Tensors, dropout_seed: tf.Tensor | None
    ) -> Terms:
        """Returns the terms of one replica's batch; see `Objective`."""
        return self.task.compute_terms(self.predict(batch, dropout_seed), batch)


def encode(
    encoder: Encoder,
    features: Sequence[Any],
    dropout_seed: tf.Tensor | None = None,
) -> Encoded:
    """Returns what an encoder makes of a batch, each text by itself.

    Args:
        encoder: takes them as rows of its own, [B*C, T].
        features: of `Model.features`.
        dropout_seed: None to drop nothing.
    """
    return encoder(
        *(ops.reshape(x, (-1, ops.shape(x)[-1])) for x in features),
        dropout_seed=dropout_seed,
    )


def by_length(
    step: ReplicaStep, lengths: Sequence[int], *, per_token: bool
) -> ReplicaStep:
    """Returns a step that cuts its batch to the length it says is enough.

    Args:
        step: takes the batch of one replica.
        lengths: from `batches.choose_lengths`.
        per_token: see `batches.trim`.
    """

    def run(batch: Tensors) -> None:
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
