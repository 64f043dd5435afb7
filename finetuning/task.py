"""What a fine-tuning task is: all that training and answering ask of one.

A task turns files into examples, examples into rows of numbers, and what the
model computes of the rows into scores, files and answers. It knows neither
devices nor checkpoints; `finetuning.train` and `finetuning.answering` know no
task. `finetuning.programs` lists the tasks.
"""

import abc
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from finetuning.splits import SplitName
from modeling.config import BertConfig
from training.objective import Term

# Every row has them: [N, T], or [N, C, T] where a row is C texts to choose
# from.
FEATURES = ("input_ids", "input_mask", "segment_ids")

# `FEATURES`, the labels, and what else the loss needs; [N, ...] int32 or
# float32.
Rows = Mapping[str, np.ndarray]
# What the head computes of all rows of a split, in their order; [N, ...]
# float32.
Outputs = Mapping[str, np.ndarray]
# Rows or outputs of one replica's batch, on its device; [B, ...].
Tensors = Mapping[str, Any]
Terms = dict[str, Term]


@dataclasses.dataclass(frozen=True)
class Split:
    """A part of the data: examples as they were read, and rows to compute.

    A long example may be several rows; only the task knows which.
    """

    name: SplitName
    examples: Sequence[Any]
    rows: Rows
    # What `Task.describe_rows` says of them. It is kept because that method
    # reads the whole file.
    description: Mapping[str, Any] | None = None

    @property
    def num_rows(self) -> int:
        return len(self.rows["input_ids"])


class Task(abc.ABC):
    """A task; one object reads, computes and scores one run."""

    # The key in `programs.PROGRAMS`, and what settings.json calls the task.
    name: str
    # The script whose task it is.
    program: str
    # A key of `interop.variables.HEADS`, or None where no other library has
    # such a head.
    head: str | None = None
    # What the head's outputs mean: a teacher's must be of the same kind.
    output_kind: str = ""
    # Decides which checkpoint is best: the one with the highest value, or with
    # the lowest where the name ends in "loss".
    key_metric: str
    # The keys that `compute_terms` returns; those that end in "loss" are in
    # the loss.
    term_names: Sequence[str] = ("loss",)
    # Tokens that the encoder reads at once, where a row is several chunks of
    # so many, one behind another; None where a row is read whole.
    chunk_length: int | None = None
    # Whether a frozen encoder computes as in inference while the head learns.
    reads_features: bool = False

    def __init__(self, config: Any):  # noqa: B027
        """Takes the settings of its program, which `programs` says."""

    @property
    def answer_kind(self) -> str:
        """What an answer is, for whoever shows it.

        labels, number, several_labels, choices, entities or answers; with
        pair_ before it where two texts are asked about.
        """
        return "labels"

    @property
    def head_inputs(self) -> Sequence[str]:
        """The names of the rows that the head reads, beside `FEATURES`."""
        return ()

    @property
    def num_texts(self) -> int:
        """How many texts a line has, with tabs between them."""
        return 1

    @property
    def labels(self) -> Sequence[str]:
        """The names of the head's outputs, in order; none if they have none."""
        return ()

    @abc.abstractmethod
    def read(self, split_name: SplitName) -> Sequence[Any]:
        """Returns the examples of a split.

        The labels are known once it has been called, for any split.

        Raises:
            ValueError: bad input, with file and line.
        """

    @abc.abstractmethod
    def make_rows(self, split_name: SplitName, examples: Sequence[Any]) -> Rows:
        """Returns the rows of the examples."""

    @abc.abstractmethod
    def describe_rows(self, split_name: SplitName) -> dict[str, Any]:
        """Returns what the rows depend on, as values for JSON.

        Files by `cache.digest`, the vocabulary's hash, settings: rows made
        under another description are made again.
        """

    @abc.abstractmethod
    def make_head(
        self, config: BertConfig, initializer: keras.Initializer
    ) -> keras.Layer:
        """Returns the layer on top of the encoder.

        Its call(encoded, batch, dropout_seed=None) maps what `Encoder.call`
        returns and the rows of the batch to {name: float32 [B, ...]}. Its
        attribute `per_token` says whether the outputs are [B, T, ...].

        Args:
            config: of the encoder.
            initializer: of the head's kernels.
        """

    @abc.abstractmethod
    def compute_terms(self, outputs: Tensors, batch: Tensors) -> Terms:
        """Returns the terms of one replica's batch.

        Args:
            outputs: what the head returned.
            batch: the rows.
        """

    def read_soft_labels(self, examples: Sequence[Any]) -> Outputs:
        """Returns the outputs of a teacher that a file has, or {} without one.

        Args:
            examples: of "train".

        Raises:
            ValueError: the file is of other examples or labels.
        """
        return {}

    @abc.abstractmethod
    def distill(
        self,
        outputs: Tensors,
        taught: Tensors,
        batch: Tensors,
        temperature: float,
    ) -> Term:
        """Returns how far the outputs are from a teacher's, a term in the loss.

        Args:
            outputs: what the head returned.
            taught: what the teacher's head returned, under the same names.
            batch: the rows.
            temperature: what logits are divided by; see `soft_targets`.
        """

    @abc.abstractmethod
    def score(self, split: Split, outputs: Outputs) -> dict[str, float]:
        """Returns the metrics of a labelled split, `key_metric` among them."""

    def baseline(self, split: Split) -> dict[str, float]:
        """Returns the metrics of answers to a labelled split without reading.

        Such as the answer that is right most often.
        """
        return {}

    def symptom(self, split: Split, outputs: Outputs) -> str:
        """Returns how the answers show that nothing was learned, or "".

        Args:
            split: with labels.
            outputs: of its rows.
        """
        return ""

    @abc.abstractmethod
    def write(self, split: Split, outputs: Outputs, directory: str) -> None:
        """Writes the files of "eval" or "predict" into a directory."""

    @abc.abstractmethod
    def examples_of_lines(
        self, lines: Sequence[str], source: str, first: int
    ) -> Sequence[Any]:
        """Returns examples to predict, one for each line of plain text.

        Args:
            lines: without line ends.
            source: what they are from, for errors.
            first: the number of the first line.

        Raises:
            ValueError: a line is of another form; names it.
        """

    @abc.abstractmethod
    def examples_of_file(self, path: str) -> Sequence[Any]:
        """Returns examples to predict, of a file of JSON.

        Raises:
            ValueError: the file is of another form; names the place.
        """

    @abc.abstractmethod
    def answers(self, split: Split, outputs: Outputs) -> Sequence[Any]:
        """Returns the answer to each example, as values for JSON.

        Args:
            split: with or without labels.
            outputs: of its rows.
        """

    def draws(self, rows: Rows) -> Sequence[tuple[int, int]]:
        """Returns how training draws from rows that are of several kinds.

        Args:
            rows: of "train".

        Returns:
            (how many rows there are, how many are drawn among as many as there
            are of all) for each kind, in the order of the rows; none where
            each row is drawn once.
        """
        return ()

    def export(  # noqa: B027
        self, model: Any, output_dir: str, global_step: int
    ) -> None:
        """Writes what a training leaves beside its own files.

        Args:
            model: the `Model`, with the weights that are handed on.
            output_dir: of the run.
            global_step: that the weights are of.
        """

    def is_labelled(self, split: Split) -> bool:
        """Whether `score` can be called on a split."""
        return split.name != "predict"

    def settings(self) -> dict[str, Any]:
        """Returns what `restore` needs beside the config, values for JSON."""
        return {}

    def restore(self, settings: Mapping[str, Any]) -> None:  # noqa: B027
        """Takes what `settings` said in the run that trained the model.

        Raises:
            ValueError: it says something else than this task needs.
        """


def columns_of_lines(
    lines: Sequence[str], source: str, first: int, num_columns: int, wanted: str
) -> Iterator[tuple[int, list[str]]]:
    """Yields (number of the line, its columns, which have tabs between them).

    Args:
        lines, source, first: as for `Task.examples_of_lines`.
        num_columns: how many each line must have.
        wanted: what they are, for errors.

    Raises:
        ValueError: a line has more or fewer columns; names it.
    """
    for number, line in enumerate(lines, first):
        columns = line.split("\t")
        if len(columns) != num_columns:
            raise ValueError(
                f"{source}, line {number}: {len(columns)} columns between "
                f"tabs, wanted {num_columns}: {wanted}"
            )
        yield number, columns
