"""What a fine-tuning task is: everything that `finetuning.train` asks of one.

A task turns files into examples, examples into rows of numbers, what the model
computes of the rows into scores and files. It knows neither devices nor
checkpoints; `finetuning.train` knows no task.
"""

import abc
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

# Of every row. [N, T], or [N, C, T] where a row is C texts to choose from.
FEATURES = ("input_ids", "input_mask", "segment_ids")


@dataclasses.dataclass(frozen=True)
class Split:
    """A part of the data: examples as they were read, and rows to compute.

    A long example may be several rows; which row is whose the task knows.
    """

    name: str  # "train", "eval" or "predict".
    examples: Sequence[Any]
    # `FEATURES`, the labels, and what else the loss needs; [N, ...] int32 or
    # float32.
    rows: Mapping[str, np.ndarray]
    # What `Task.describe_rows` says of them, once for a run: it reads the file.
    description: Mapping[str, Any] | None = None

    @property
    def num_rows(self):
        return len(self.rows["input_ids"])


class Task(abc.ABC):
    """A task; one object reads, computes and scores one run."""

    # The script whose task it is.
    program: str
    # A key of `interop.variables.HEADS`, or None where no other library has
    # such a head.
    head: str | None = None
    # What decides which checkpoint is best. Highest is best, unless the name
    # ends in "loss".
    key_metric: str
    # The names of the head's outputs, in order, or None.
    labels: Sequence[str] | None = None
    # Of what `compute_terms` returns; those whose name ends in "loss" are in
    # the loss.
    term_names: Sequence[str] = ("loss",)

    @abc.abstractmethod
    def read(self, split_name):
        """Returns the examples of "train", "eval" or "predict".

        The labels are known once it has been called, for any split.

        Raises:
            ValueError: bad input, with file and line.
        """

    @abc.abstractmethod
    def make_rows(self, split_name, examples):
        """Returns {name: array [N, ...]} of the examples; see `Split.rows`."""

    @abc.abstractmethod
    def describe_rows(self, split_name):
        """Returns what the rows depend on, as values for JSON.

        Files by `cache.digest`, the vocabulary's hash, settings: rows made
        under another description are made again.
        """

    @abc.abstractmethod
    def make_head(self, config, initializer):
        """Returns the layer on top of the encoder.

        Its call(encoded, batch, dropout_seed=None) maps what `Encoder.call`
        returns and the rows of the batch to {name: float32 [B, ...]}. Its
        attribute `per_token` says whether the outputs are [B, T, ...].

        Args:
            config: a `modeling.config.BertConfig`.
            initializer: of its kernels.
        """

    @abc.abstractmethod
    def compute_terms(self, outputs, batch):
        """Returns {name: training.step.Term} of one replica's batch.

        Args:
            outputs: what the head returned.
            batch: {name: [B, ...]} of the rows.
        """

    @abc.abstractmethod
    def score(self, split, outputs):
        """Returns {metric: number}, `key_metric` among them.

        Args:
            split: a `Split` with labels.
            outputs: {name: float32 [N, ...]} of all its rows, in their order.
        """

    def baseline(self, split):
        """Returns {metric: number} of answers that need no reading.

        Args:
            split: a `Split` with labels.
        """
        return {}

    def symptom(self, split, outputs):
        """Returns how the answers show that nothing was learned, or "".

        Args:
            split: a `Split` with labels.
            outputs: as of `score`.
        """
        return ""

    @abc.abstractmethod
    def write(self, split, outputs, directory):
        """Writes what is wanted of "eval" or "predict" into a directory."""

    @abc.abstractmethod
    def examples_of_lines(self, lines, source, first):
        """Returns examples to predict, of lines as `tools.predict` takes them.

        Args:
            lines: strings without line ends.
            source: what they are from, for errors.
            first: the number of the first line.

        Raises:
            ValueError: a line is of another form; names it.
        """

    @abc.abstractmethod
    def examples_of_file(self, path):
        """Returns examples to predict, of a file of JSON."""

    @abc.abstractmethod
    def answers(self, split, outputs):
        """Returns what is said of each example, as values for JSON.

        Args:
            split: a `Split`, with or without labels.
            outputs: {name: float32 [N, ...]} of all its rows.
        """

    def is_labelled(self, split):
        """Whether `score` can be called on a `Split`."""
        return split.name != "predict"

    def settings(self):
        """Returns what `tools.predict` needs to make this task again, JSON."""
        return {}

    def restore(self, settings):  # noqa: B027
        """Takes what `settings` said in the run that trained the model."""
