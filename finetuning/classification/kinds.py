"""Kinds of labels: how they are learned and read off what the model computes.

Shapes: N examples, B batch, L labels, C choices.
"""

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from scipy import special

from finetuning import soft_targets
from finetuning.classification.config import ClassifierConfig
from modeling import task_heads
from modeling.config import BertConfig

Weights = Sequence[float] | None  # Of the labels, [L].
Losses = tuple[tf.Tensor, tf.Tensor]


class OneLabel:
    """One label of several."""

    head = "sequence_classification"
    answer_kind = "labels"

    def make_head(
        self,
        config: BertConfig,
        initializer: keras.Initializer,
        num_labels: int,
    ) -> keras.Layer:
        return task_heads.SequenceHead(config, initializer, num_labels)

    def encode(self, labels: Sequence[Any], names: Sequence[str]) -> np.ndarray:
        """Returns the labels of examples as numbers, [N] int32.

        Args:
            labels: of the examples. None, the label of a row to predict,
                becomes 0.
            names: of all labels, in order.
        """
        ids = {name: number for number, name in enumerate(names)}
        return np.array([ids.get(label, 0) for label in labels], np.int32)

    def count(
        self, label_ids: np.ndarray, num_labels: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns how many rows have each label, [L], and a share of the rest.

        The weight of a "balanced" label is the second divided by the first.
        """
        counts = np.bincount(label_ids, minlength=num_labels)
        return counts, np.full(num_labels, len(label_ids) / num_labels)

    def most_frequent(self, label_ids: np.ndarray) -> int | None:
        """Returns the best answer without reading, None where there is none."""
        return int(np.bincount(label_ids).argmax())

    def losses(
        self,
        logits: tf.Tensor,
        label_ids: tf.Tensor,
        weights: Weights,
        smoothing: float,
    ) -> Losses:
        """Returns (the loss of each row, its weight), [B] each."""
        wanted = tf.one_hot(label_ids, logits.shape[-1])
        wanted = wanted * (1 - smoothing) + smoothing / logits.shape[-1]
        losses = tf.nn.softmax_cross_entropy_with_logits(wanted, logits)
        if weights is None:
            return losses, tf.ones_like(losses)
        of_row = tf.gather(tf.constant(weights, tf.float32), label_ids)
        return losses * of_row, of_row

    def distances(
        self, teacher: tf.Tensor, student: tf.Tensor, temperature: float
    ) -> tf.Tensor:
        """Returns how far two models' logits of each row are apart, [B]."""
        return soft_targets.divergence(teacher, student, temperature)

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Returns [N, L]."""
        return special.softmax(logits, axis=-1)

    def decide(self, probabilities: np.ndarray) -> np.ndarray:
        """Returns [N] int, the number of the likeliest label."""
        return probabilities.argmax(axis=-1)

    def answer(
        self, decided: Any, probabilities: np.ndarray, labels: Sequence[str]
    ) -> dict[str, Any]:
        """Returns the answer to one example, as values for JSON.

        Args:
            decided: what `decide` says of it.
            probabilities: [L].
            labels: their names.
        """
        return {
            "label": labels[decided],
            "probabilities": _by_label(labels, probabilities),
        }


class Choice(OneLabel):
    """One of several texts."""

    head = "multiple_choice"
    answer_kind = "choices"

    def make_head(
        self,
        config: BertConfig,
        initializer: keras.Initializer,
        num_labels: int,
    ) -> keras.Layer:
        return task_heads.ChoiceHead(config, initializer)


class MultiLabel(OneLabel):
    """Any number of labels at once."""

    answer_kind = "several_labels"

    def encode(self, labels: Sequence[Any], names: Sequence[str]) -> np.ndarray:
        """Returns float32 [N, L], 1 where a text has the label."""
        ids = {name: number for number, name in enumerate(names)}
        encoded = np.zeros((len(labels), len(names)), np.float32)
        for row, labels_of_row in enumerate(labels):
            encoded[row, [ids[label] for label in labels_of_row or ()]] = 1
        return encoded

    def count(
        self, label_ids: np.ndarray, num_labels: int
    ) -> tuple[np.ndarray, np.ndarray]:
        counts = label_ids.sum(axis=0)
        return counts, len(label_ids) - counts

    def most_frequent(self, label_ids: np.ndarray) -> None:
        return None

    def losses(
        self,
        logits: tf.Tensor,
        label_ids: tf.Tensor,
        weights: Weights,
        smoothing: float,
    ) -> Losses:
        wanted = label_ids * (1 - smoothing) + smoothing / 2
        positive = 1.0 if weights is None else tf.constant(weights, tf.float32)
        losses = tf.nn.weighted_cross_entropy_with_logits(
            wanted, logits, positive
        )
        losses = tf.reduce_mean(losses, axis=-1)
        return losses, tf.ones_like(losses)

    def distances(
        self, teacher: tf.Tensor, student: tf.Tensor, temperature: float
    ) -> tf.Tensor:
        return soft_targets.binary_divergence(teacher, student, temperature)

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        return special.expit(logits)

    def decide(self, probabilities: np.ndarray) -> np.ndarray:
        """Returns [N, L] int, 1 for the labels more likely than not."""
        return (probabilities > 0.5).astype(np.int32)

    def answer(
        self, decided: Any, probabilities: np.ndarray, labels: Sequence[str]
    ) -> dict[str, Any]:
        chosen = np.flatnonzero(decided).tolist()
        return {
            "labels": [labels[number] for number in chosen],
            "probabilities": _by_label(labels, probabilities),
        }


class Regression(OneLabel):
    """A number."""

    answer_kind = "number"

    def make_head(
        self,
        config: BertConfig,
        initializer: keras.Initializer,
        num_labels: int,
    ) -> keras.Layer:
        return task_heads.SequenceHead(config, initializer, 1)

    def encode(self, labels: Sequence[Any], names: Sequence[str]) -> np.ndarray:
        """Returns [N] float32."""
        return np.array([number or 0.0 for number in labels], np.float32)

    def most_frequent(self, label_ids: np.ndarray) -> None:
        return None

    def losses(
        self,
        logits: tf.Tensor,
        label_ids: tf.Tensor,
        weights: Weights,
        smoothing: float,
    ) -> Losses:
        losses = tf.square(logits[:, 0] - label_ids)
        return losses, tf.ones_like(losses)

    def distances(
        self, teacher: tf.Tensor, student: tf.Tensor, temperature: float
    ) -> tf.Tensor:
        # A number has no doubts that a temperature could bring out.
        return tf.square(student - teacher)[:, 0]

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Returns [N, 1]: the numbers themselves."""
        return logits

    def decide(self, probabilities: np.ndarray) -> np.ndarray:
        """Returns [N] float."""
        return probabilities[:, 0]

    def answer(
        self, decided: Any, probabilities: np.ndarray, labels: Sequence[str]
    ) -> dict[str, Any]:
        return {"value": _number(decided)}


def _by_label(labels, probabilities):
    return dict(zip(labels, map(_number, probabilities), strict=True))


def _number(value):
    # The few digits that a float32 has, not those of its float64.
    return json.loads(str(np.float32(value)))


KINDS = {
    "one_label": OneLabel(),
    "choice": Choice(),
    "multi_label": MultiLabel(),
    "regression": Regression(),
}

# {flag of the loss: the kinds that it says nothing to}
_FOR_LABELS = {
    "class_weights": ("choice", "regression"),
    "label_smoothing": ("regression",),
    "distillation_temperature": ("regression",),
}


def check_flags(config: ClassifierConfig, kind: str) -> None:
    """Refuses flags that a kind of task has no use for.

    Args:
        config: of the run.
        kind: a key of `KINDS`.

    Raises:
        ValueError: one is set; names it.
    """
    usual = {x.name: x.default for x in dataclasses.fields(config)}
    for name, kinds in _FOR_LABELS.items():
        if kind in kinds and getattr(config, name) != usual[name]:
            raise ValueError(f"--{name} is for labels, and this task has none")
    if kind == "choice" and config.classifier_head != "pooled":
        raise ValueError(
            f"--classifier_head={config.classifier_head} is not for choices"
        )
