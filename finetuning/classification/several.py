"""Several tasks at once: one encoder, and a head for each (Liu et al. 2019).

    --task_name=afqmc,tsv:titles --data_dir=DATA --output_dir=OUTPUT

reads DATA/afqmc and DATA/titles, trains on batches of rows of both, and leaves
OUTPUT/afqmc and OUTPUT/titles: each is what a training of that task by itself
would leave. A row goes through all heads; only that of its own task is asked.

Source: Liu et al. 2019, Multi-Task Deep Neural Networks; Sun et al. 2019, 5.5.

Shapes: N rows, B batch, L labels.
"""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from absl import logging

from finetuning import directory, train
from finetuning.classification import mixing
from finetuning.classification.config import ClassifierConfig
from finetuning.classification.task import Classification
from finetuning.splits import SplitName
from finetuning.task import (
    FEATURES,
    Outputs,
    Rows,
    Split,
    Task,
    Tensors,
    Terms,
)
from modeling.config import BertConfig
from modeling.encoder import Encoded
from storage import file_io, json_files
from text import vocabularies
from training import checkpoint, job, run_settings
from training.objective import Term

_TASK = "task"
_LOGITS, _LABELS = "logits_{}", "label_ids_{}"
_SCOPE = "task_{}"


def run(config: ClassifierConfig) -> dict[str, float]:
    """Trains, evaluates and predicts; see `finetuning.train.run`."""
    return train.run(config, SeveralTasks)


class _Heads(keras.layers.Layer):
    """The heads of all tasks, on the same encoder."""

    per_token = False

    def __init__(self, heads: Sequence[keras.Layer]) -> None:
        super().__init__(name="heads")
        self.heads = list(heads)

    def call(
        self,
        encoded: Encoded,
        batch: Mapping[str, Any],
        dropout_seed: Any = None,
    ) -> dict[str, Any]:
        """Returns {"logits_N": [B, L] of task N}."""
        return {
            _LOGITS.format(number): head(
                encoded, batch, dropout_seed=dropout_seed
            )["logits"]
            for number, head in enumerate(self.heads)
        }


class SeveralTasks(Task):
    """Tasks of run_classifier.py that share an encoder.

    An example is (the number of its task, the task's own example).
    """

    name = "SeveralTasks"
    program = "run_classifier.py"
    key_metric = "eval_mean"

    def __init__(self, config: ClassifierConfig):
        self._config = config
        self._configs = config.parts
        self._tasks = {
            folder: Classification(part)
            for folder, part in self._configs.items()
        }
        for folder, task in self._tasks.items():
            if task.output_kind == "choice":
                raise ValueError(
                    f"--task_name={config.task_name}: {folder} has texts to "
                    "choose from, and is trained by itself"
                )

    def read(self, split_name: SplitName) -> list[Any]:
        return [
            (number, example)
            for number, task in enumerate(self._tasks.values())
            for example in task.read(split_name)
        ]

    def make_rows(self, split_name: SplitName, examples: Sequence[Any]) -> Rows:
        of_each = [
            task.make_rows(split_name, [x for n, x in examples if n == number])
            for number, task in enumerate(self._tasks.values())
        ]
        sizes = [len(rows["input_ids"]) for rows in of_each]
        which = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
        joined = {
            name: np.concatenate([rows[name] for rows in of_each])
            for name in FEATURES
        }
        for number, rows in enumerate(of_each):
            labels = rows["label_ids"]
            # Those of other tasks' rows are never looked at.
            spread = np.zeros((len(which), *labels.shape[1:]), labels.dtype)
            spread[which == number] = labels
            joined[_LABELS.format(number)] = spread
        return joined | {_TASK: which}

    def describe_rows(self, split_name: SplitName) -> dict[str, Any]:
        return {
            "task": "several",
            "tasks": {
                folder: task.describe_rows(split_name)
                for folder, task in self._tasks.items()
            },
        }

    def draws(self, rows: Rows) -> list[tuple[int, int]]:
        sizes = np.bincount(rows[_TASK]).tolist()
        drawn = mixing.draws(sizes, self._config.task_temperature)
        for folder, size, count in zip(self._tasks, sizes, drawn, strict=True):
            logging.info(
                "%s: %s rows, %s of an epoch's",
                folder,
                f"{size:,}",
                f"{count:,}",
            )
        return list(zip(sizes, drawn, strict=True))

    def make_head(
        self, config: BertConfig, initializer: keras.Initializer
    ) -> keras.Layer:
        heads = []
        for number, task in enumerate(self._tasks.values()):
            with keras.name_scope(_SCOPE.format(number)):
                heads.append(task.make_head(config, initializer))
        return _Heads(heads)

    def compute_terms(self, outputs: Tensors, batch: Tensors) -> Terms:
        terms = [
            task.compute_terms(
                {"logits": outputs[_LOGITS.format(number)]},
                {
                    "label_ids": batch[_LABELS.format(number)],
                    "is_real_example": tf.equal(batch[_TASK], number),
                },
            )["loss"]
            for number, task in enumerate(self._tasks.values())
        ]
        # A row counts as much in a batch of one task as in one of many.
        return {
            "loss": Term(
                tf.add_n([term.numerator for term in terms]),
                tf.add_n([term.denominator for term in terms]),
                in_loss=True,
            )
        }

    def distill(
        self,
        outputs: Tensors,
        taught: Tensors,
        batch: Tensors,
        temperature: float,
    ) -> Term:
        raise self._one_only("--teacher_dir teaches")

    def score(self, split: Split, outputs: Outputs) -> dict[str, float]:
        scores: dict[str, float] = {}
        keys = []
        for folder, task, *part in self._parts(split, outputs):
            own = task.score(*part)
            scores |= {f"{name}_{folder}": x for name, x in own.items()}
            keys.append(own[task.key_metric])
        return scores | {self.key_metric: float(np.mean(keys))}

    def baseline(self, split: Split) -> dict[str, float]:
        return {
            f"{name}_{folder}": x
            for folder, task, part, _ in self._parts(split, {})
            for name, x in task.baseline(part).items()
        }

    def symptom(self, split: Split, outputs: Outputs) -> str:
        found = [
            f"{folder}: {symptom}"
            for folder, task, *part in self._parts(split, outputs)
            if (symptom := task.symptom(*part))
        ]
        return "; ".join(found)

    def write(self, split: Split, outputs: Outputs, directory: str) -> None:
        for folder, task, part, of_part in self._parts(split, outputs):
            path = os.path.join(directory, folder)
            file_io.make_directory(path)
            task.write(part, of_part, path)
            if task.is_labelled(part):
                scores = task.score(part, of_part) | task.baseline(part)
                job.write_results(path, scores)

    def examples_of_lines(
        self, lines: Sequence[str], source: str, first: int
    ) -> Sequence[Any]:
        raise self._one_only("a line is answered")

    def examples_of_file(self, path: str) -> Sequence[Any]:
        raise self._one_only("a file is answered")

    def answers(self, split: Split, outputs: Outputs) -> Sequence[Any]:
        raise self._one_only("a text is answered")

    def settings(self) -> dict[str, Any]:
        return {
            "tasks": {
                folder: task.settings() for folder, task in self._tasks.items()
            },
            # By these a run knows that it goes on with the same heads.
            "labels": [
                f"{folder}: {label}"
                for folder, task in self._tasks.items()
                for label in task.labels or ("a number",)
            ],
        }

    def restore(self, settings: Mapping[str, Any]) -> None:
        json_files.check(
            settings, {"tasks": {str: dict}}, "settings.json", "settings"
        )
        if [*settings["tasks"]] != [*self._tasks]:
            raise ValueError(
                f"--output_dir={self._config.output_dir} has a model of the "
                f"tasks {', '.join(settings['tasks'])}, and --task_name says "
                f"{', '.join(self._tasks)}"
            )
        for folder, task in self._tasks.items():
            task.restore(settings["tasks"][folder])

    def export(self, model: Any, output_dir: str, global_step: int) -> None:
        """Writes a folder of each task, as its own training would leave it."""
        encoder = checkpoint.by_path(model.encoder.trainable_variables)
        vocabulary = vocabularies.load(self._config)
        for number, (folder, task) in enumerate(self._tasks.items()):
            path = os.path.join(output_dir, folder)
            file_io.make_directory(path)
            scope = _SCOPE.format(number) + "/"
            head = {
                variable.path.removeprefix(scope): variable
                for variable in model.head.heads[number].trainable_variables
            }
            step = keras.Variable(global_step, dtype="int64", trainable=False)
            saved = {**encoder, **head, checkpoint.GLOBAL_STEP: step}
            settings = dataclasses.replace(
                self._configs[folder], output_dir=path
            )
            directory.write_shape(path, vocabulary, model.architecture, task)
            run_settings.write(
                path,
                {
                    "program": self.program,
                    "task": task.name,
                    "settings": task.settings(),
                    "training_rows": None,
                    "config": dataclasses.asdict(settings),
                },
            )
            checkpoint.Checkpoints(path, saved, keep_max=1).save(global_step)

    def _parts(self, split, outputs):
        """Yields (folder, task, its split, its outputs) of each task."""
        which = split.rows[_TASK]
        for number, (folder, task) in enumerate(self._tasks.items()):
            chosen = which == number
            rows = {name: split.rows[name][chosen] for name in FEATURES}
            rows["label_ids"] = split.rows[_LABELS.format(number)][chosen]
            examples = [x for n, x in split.examples if n == number]
            logits = outputs.get(_LOGITS.format(number))
            of_task = {} if logits is None else {"logits": logits[chosen]}
            yield folder, task, Split(split.name, examples, rows), of_task

    def _one_only(self, what):
        return ValueError(
            f"{what} by one task: name the folder of one of "
            f"{', '.join(self._tasks)} in {self._config.output_dir}"
        )
