"""Answers to lines of text, by a fine-tuned directory and nothing else."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow as tf

from finetuning import directory, preflight, programs
from finetuning.compiled import MOST_ROWS_ON_CPU
from finetuning.config import FinetuningConfig
from finetuning.model import Model
from finetuning.prediction import Predictor
from finetuning.task import Outputs, Rows, Split, Task
from text import corpus
from training import strategy
from training.gpus import Device

_FEW_ROWS = 2
_AT_ONCE = 4096


class Answerer:
    """A fine-tuned model that answers lines of text and files of them.

    What a line is, and what an answer, the model's task says: see its
    `examples_of_lines`, `examples_of_file` and `answers`.

    Args:
        config: of a fine-tuned directory; see `programs.load`.
        task: of the same directory.
    """

    def __init__(self, config: FinetuningConfig, task: Task):
        architecture = preflight.read_bert_config(config)
        devices = strategy.create(config)
        config = _settled_on_cpu(config)
        model = Model.of(config, architecture, task, devices)
        directory.restore_weights(config, model)
        self.task = task
        # What computes the outputs of a batch of rows.
        self.model = model
        self.max_seq_length = config.max_seq_length
        self._num_replicas = devices.num_replicas_in_sync
        self._few, self._many = (
            Predictor(
                devices,
                model,
                batch_size=batch_size,
                group_by_length=not config.use_tpu and not config.tpu_name,
            )
            for batch_size in (self._num_replicas, config.predict_batch_size)
        )

    @classmethod
    def load(
        cls, model_dir: str, *, batch_size: int = 32, device: Device = "auto"
    ) -> "Answerer":
        """Returns the answerer of a fine-tuned directory.

        Args:
            model_dir: an --output_dir of a training.
            batch_size: rows computed at once.
            device: as --device says.

        Raises:
            ValueError: it is none, or its files do not belong together.
        """
        return cls(
            *programs.load(
                model_dir, predict_batch_size=batch_size, device=device
            )
        )

    def answer(
        self, lines: Sequence[str], source: str = "the lines", first: int = 1
    ) -> Iterator[Any]:
        """Yields the answer to each line, a value for JSON.

        Args:
            lines: without line ends.
            source: what they are from, for errors.
            first: the number of the first line, for errors.

        Raises:
            ValueError: a line is of another form than the task's; names it.
        """
        for begin in range(0, len(lines), _AT_ONCE):
            block = lines[begin : begin + _AT_ONCE]
            yield from self._answers(
                self.task.examples_of_lines(block, source, first + begin)
            )

    def answer_file(self, path: str) -> Iterator[Any]:
        """Yields the answers to what a file asks, in its order.

        Args:
            path: plain lines; or the task's JSON, where the name ends in .json
                or .jsonl. Either may be gzipped.

        Raises:
            ValueError: the file is of another form; names the place.
        """
        if path.removesuffix(".gz").endswith((".json", ".jsonl")):
            examples = self.task.examples_of_file(path)
            for begin in range(0, len(examples), _AT_ONCE):
                yield from self._answers(examples[begin : begin + _AT_ONCE])
            return
        yield from self.answer(lines_of(path), path)

    def split_of(
        self, lines: Sequence[str], source: str = "the lines", first: int = 1
    ) -> Split:
        """Returns lines as examples, and the rows that the model is to compute.

        It is the first of the three steps of `answer`, for whoever computes
        the rows of several callers together; `task.answers` is the third.

        Args:
            lines, source, first: as for `answer`.

        Raises:
            ValueError: a line is of another form than the task's; names it.
        """
        return self._split(self.task.examples_of_lines(lines, source, first))

    def _split(self, examples):
        rows = self.task.make_rows("predict", examples)
        return Split("predict", examples, rows)

    def _answers(self, examples: Sequence[Any]) -> Sequence[Any]:
        split = self._split(examples)
        return self.task.answers(split, self._outputs(split.rows))

    def _outputs(self, rows: Rows) -> Outputs:
        """Returns what the model computes of the rows.

        A few rows are not padded to a whole batch, so that one question is not
        computed as slowly as many.
        """
        num_rows = len(rows["input_ids"])
        is_few = num_rows <= _FEW_ROWS * self._num_replicas
        return (self._few if is_few else self._many).outputs(rows)


def _settled_on_cpu(config: FinetuningConfig) -> FinetuningConfig:
    """Returns settings by which an answer does not depend on its batch.

    See `MOST_ROWS_ON_CPU`. Nor is bfloat16 taken, unless the training's own
    flag said so: its products depend on the number of rows, too, which moves
    the fourth digit.
    """
    is_cpu = not (
        config.use_tpu
        or config.tpu_name
        or tf.config.list_logical_devices("GPU")
    )
    if not is_cpu:
        return config
    return dataclasses.replace(
        config,
        mixed_precision=config.mixed_precision or "none",
        predict_batch_size=min(config.predict_batch_size, MOST_ROWS_ON_CPU),
    )


def lines_of(path: str) -> list[str]:
    """Returns the lines of a text file, plain or gzipped, as `answer` takes."""
    text = corpus.read(path).removesuffix("\n")
    return [line.rstrip("\r") for line in text.split("\n")]
