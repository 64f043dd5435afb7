"""What a run leaves for the next one: rows, model and compiled step."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

from finetuning import cache, teacher
from finetuning.config import ONE_RUN, FinetuningConfig
from finetuning.model import Model
from finetuning.splits import SplitName
from finetuning.task import Split, Task
from modeling.config import BertConfig
from training import strategy
from training.reuse import ReusableTrainer
from training.schedules import Schedule

# What the rows, the model's graph and the compiled step do not depend on.
_FREE = {
    *("output_dir", "learning_rate", "train_batch_size", "num_train_epochs"),
    *("warmup_proportion", "seed", "save_checkpoints_steps"),
    *("eval_every_steps", *ONE_RUN),
}
# The same for every seed of a run.
_SEED_OF_ROWS = 0


class Workbench:
    """Makes what a run needs, or hands over what one before it has made.

    A run after another differs from it in its rate, its length, its batches
    or its seed: then rows, model and step are taken over. Any other setting
    that differs makes all of them anew.

    Args:
        make_task: makes the task of a run.
    """

    # Where all runs compute; set once it is known that they may.
    devices: tf.distribute.Strategy

    def __init__(self, make_task: Callable[[Any], Task]):
        self._make_task = make_task
        self._clear({})

    def _clear(self, shape: dict[str, Any]) -> None:
        self._shape = shape
        self._task: Task | None = None
        self._splits: dict[SplitName, Split] = {}
        self._taught: Split | None = None
        self._model: Model | None = None
        self._trainer: ReusableTrainer | None = None

    def task(self, config: FinetuningConfig) -> Task:
        """Returns the task of a run; what follows is of the same run."""
        shape = {
            name: value
            for name, value in dataclasses.asdict(config).items()
            if name not in _FREE
        }
        if self._task is None or shape != self._shape:
            self._clear(shape)
            self._task = self._make_task(config)
        return self._task

    def split(self, name: SplitName, rows_dir: str) -> Split:
        """Returns a split of the run's task, read once.

        Args:
            name: of the split.
            rows_dir: where its rows are kept.
        """
        if name not in self._splits:
            task = self._task
            assert task
            examples = task.read(name)
            description = task.describe_rows(name)
            count = self._shape["max_train_rows"]
            if name == "train" and count:
                examples = _some(examples, count)
                description |= {"max_train_rows": count}
            rows = cache.rows(
                cache.path_of(rows_dir, name),
                description,
                lambda: task.make_rows(name, examples),
                is_writer=strategy.is_chief(self.devices),
            )
            self._splits[name] = Split(name, examples, rows, description)
        return self._splits[name]

    def taught(self, config: FinetuningConfig, split: Split) -> Split:
        """Returns a split with what --teacher_dir says of it, asked once."""
        if self._taught is None:
            assert self._task
            self._taught = teacher.teach(
                config, self._task, split, self.devices
            )
        return self._taught

    def model(
        self,
        make: Callable[..., Model],
        config: FinetuningConfig,
        architecture: BertConfig,
        task: Task,
    ) -> Model:
        """Returns the model of a run, with the first weights of its seed.

        Args:
            make: as `Model.of`.
        """
        fresh = make(config, architecture, task, devices=self.devices)
        if self._model is None:
            self._model = fresh
        for variable, first in zip(self._model.saved, fresh.saved, strict=True):
            if variable is not first:
                variable.assign(first)
        return self._model

    def trainer(
        self, config: FinetuningConfig, model: Model, schedule: Schedule
    ) -> ReusableTrainer:
        """Returns the trainer of the model, ready for a run."""
        if self._trainer is None:
            with self.devices.scope():
                self._trainer = ReusableTrainer(
                    config, self.devices, model, schedule
                )
        self._trainer.begin(config, schedule)
        return self._trainer


def _some(examples: Sequence[Any], count: int) -> list[Any]:
    """Returns so many of the examples, in their order."""
    order = np.random.default_rng(_SEED_OF_ROWS).permutation(len(examples))
    if count < len(examples):
        logging.info("trained on %s of %s rows", count, len(examples))
    return [examples[place] for place in sorted(order[:count])]
