"""What an objective is: everything that a training asks of what it trains.

An objective holds a model and says what its loss is. Pretraining's stand in
`pretraining.objectives`; a model with a task's head is one, too
(`finetuning.model`). Neither the step nor the loop knows more of it than this.

                   masked LM   frozen encoder   ELECTRA         distillation
    saved          all         all              both networks   the student
    trained        all         the head         both networks   the student
    initialised    all         all              both networks   the student
    exported       all         all              the second one  the student
"""

import abc
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import keras
import tensorflow as tf


class Term(NamedTuple):
    """A weighted mean over examples or tokens, in two sums of one replica.

    One of `term_lengths` is two rows of sums instead, and in no loss.
    """

    numerator: tf.Tensor  # float32 scalar, or [N]
    denominator: tf.Tensor  # float32 scalar, or [N]
    in_loss: bool = False
    # Added to the global denominator in the loss, but not in reports.
    epsilon: float = 0.0
    # Of `loss_weights`: what the mean is multiplied by in the loss.
    weight: float = 1.0


# {feature: [B, ...]} of one replica.
Batch = Mapping[str, tf.Tensor]
# {name: (numerator, denominator)}, of numbers or of tensors on a device.
Sums = dict[str, tuple[Any, Any]]


class Objective(abc.ABC):
    """A model and its loss. Create it in the strategy's scope.

    The loss is the sum, over the terms in it, of their weight times numerator /
    denominator, both summed over all replicas.
    """

    # A key of `precision.POLICIES`: what matrices are multiplied in.
    mixed_precision: str
    # Of the numbers to report, those that a progress bar has room for.
    shown: Sequence[str] = ("loss",)
    # Of the terms in the loss that do not count once, as their `weight` is.
    loss_weights: Mapping[str, float] = MappingProxyType({})
    # Of the terms that are rows of sums, how many sums; `metrics` makes a
    # number of them.
    term_lengths: Mapping[str, int] = MappingProxyType({})

    @property
    @abc.abstractmethod
    def term_names(self) -> Sequence[str]:
        """The names of what `compute_terms` returns.

        Those that end in "loss" are the loss.
        """

    @property
    @abc.abstractmethod
    def saved(self) -> list[keras.Variable]:
        """The variables that a checkpoint holds."""

    @property
    def trained(self) -> list[keras.Variable]:
        """The variables that the optimizer changes, some of `saved`."""
        return self.saved

    @property
    def initialised(self) -> list[keras.Variable]:
        """The variables that --init_checkpoint may give first values to."""
        return self.saved

    @property
    def exported(self) -> list[keras.Variable]:
        """The variables that are handed on, as models are published."""
        return self.saved

    @property
    def width(self) -> int:
        """The model's: the wider it is, the lower are the rates it bears."""
        return 768

    @property
    @abc.abstractmethod
    def head_depth(self) -> int:
        """The depth of what is highest in the model; see `depth_of`."""

    @abc.abstractmethod
    def depth_of(self, path: str) -> int:
        """Returns how far a variable is from the input, in layers.

        It is 0 for the embeddings, `head_depth` - 1 for the pooler.
        """

    def is_layers_matrix(self, variable: keras.Variable) -> bool:
        """Whether a variable is a weight matrix of one of the layers."""
        is_in_layer = 0 < self.depth_of(variable.path) < self.head_depth - 1
        return is_in_layer and len(variable.shape) == 2

    @abc.abstractmethod
    def compute_terms(
        self, batch: Batch, dropout_seed: tf.Tensor | None
    ) -> dict[str, Term]:
        """Returns {name: Term} of one replica's batch.

        Args:
            dropout_seed: an integer scalar that no other step and replica
                uses, or None in evaluation.
        """

    def metrics(self, sums: Sums) -> dict[str, float]:
        """Maps {name: (numerator, denominator)} to the numbers to report."""
        means = {
            name: numerator / denominator if denominator else 0.0
            for name, (numerator, denominator) in sums.items()
        }
        loss = sum(
            self.loss_weights.get(name, 1.0) * mean
            for name, mean in means.items()
            if name.endswith("loss")
        )
        return {"loss": loss} | means
