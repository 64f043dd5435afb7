"""What a fine-tuned --output_dir holds beside its checkpoints.

    settings.json       the flags, the labels, what the rows were
    bert_config.json    the shape of the model, with the labels
    vocab.txt           the vocabulary, or the files of another kind
    best/               the checkpoint that --keep_best found best

With these, `finetuning.answering` and a run without --do_train need no flags.
"""

import dataclasses
import functools
import os
from collections.abc import Mapping
from typing import Any, TypeVar

from absl import logging

from finetuning.config import ONE_RUN, FinetuningConfig
from finetuning.inherited import ConfigT
from finetuning.model import Model
from finetuning.task import Split, Task
from interop import start
from modeling.config import BertConfig
from settings.flag import check_kinds
from storage import file_io
from text import vocabularies
from text.vocab import Vocabulary
from training import best_checkpoint, checkpoint, job, run_settings

TaskT = TypeVar("TaskT", bound=Task)


def describe(task: Task, split: Split) -> dict[str, Any]:
    """Returns what settings.json says of a training, beside its flags.

    Args:
        task: what was trained.
        split: what it was trained on.
    """
    return {
        "task": task.name,
        "settings": task.settings(),
        "training_rows": split.description,
    }


def write_files(output_dir: str, vocabulary: Vocabulary, model: Model) -> None:
    """Writes all that is needed to use the model without these flags."""
    write_shape(output_dir, vocabulary, model.architecture, model.task)


def write_shape(
    output_dir: str, vocabulary: Vocabulary, shape: BertConfig, task: Task
) -> None:
    """Writes bert_config.json, with a task's labels, and the vocabulary."""
    labels = {}
    if task.labels:
        labels["id2label"] = {
            str(i): label for i, label in enumerate(task.labels)
        }
    architecture = dataclasses.replace(shape, extra={**shape.extra, **labels})
    path = os.path.join(output_dir, "bert_config.json")
    file_io.write_lines(path, [architecture.to_json()])
    vocabularies.write(output_dir, vocabulary)


def refuse_other_labels(
    output_dir: str, task: Task, before: Mapping[str, Any]
) -> None:
    """Refuses to go on from a training with other labels.

    Args:
        output_dir: of this run.
        task: of this run.
        before: the settings.json of the training.

    Raises:
        ValueError: they are others; names both.
    """
    labels, wanted = (
        list(settings.get("labels") or ())
        for settings in (before.get("settings", {}), task.settings())
    )
    if labels and labels != wanted:
        raise ValueError(
            f"--output_dir={output_dir} has a training with the labels "
            f"{', '.join(labels)}, and these rows have {', '.join(wanted)}: "
            "give another --output_dir"
        )


def restore_task(output_dir: str, task: Task) -> None:
    """Gives the task what a training before it found in the data.

    Raises:
        ValueError: --output_dir is of another program.
    """
    before = run_settings.read(output_dir)
    run_settings.check_program(before, task.program, output_dir)
    if "settings" in before:
        task.restore(before["settings"])


def initialize(config: FinetuningConfig, model: Model) -> str:
    """Sets the weights to start from; returns what the log says of it."""
    if not config.init_checkpoint:
        logging.warning(
            "NO --init_checkpoint: TRAINING STARTS FROM RANDOM WEIGHTS"
        )
        return "fresh start, random weights"
    return start.initialize(
        config, checkpoint.by_path(model.initialised), model.architecture
    )


def restore_weights(config: FinetuningConfig, model: Model) -> int:
    """Takes the weights of the run before; returns the step they are of."""
    _refuse_without_head(config.output_dir)
    best = os.path.join(config.output_dir, best_checkpoint.FOLDER)
    otherwise = None
    if config.init_checkpoint:
        otherwise = functools.partial(initialize, config, model)
    return job.restore_weights(
        model, [best, config.output_dir], otherwise=otherwise
    )


def _refuse_without_head(output_dir):
    """Refuses to answer by a model that learned its teacher's layers alone."""
    before = run_settings.read(output_dir)
    if before.get("config", {}).get("distillation_of") == "layers":
        raise ValueError(
            f"{output_dir} was trained with --distillation_of=layers and has "
            "no head that could answer: fine-tune from it, by "
            "--init_checkpoint, first"
        )


def load(
    directory: str,
    make_config: type[ConfigT],
    make_task: type[TaskT],
    **changes: Any,
) -> tuple[ConfigT, TaskT]:
    """Returns the config and the task of a fine-tuned directory.

    Args:
        directory: has the settings.json of a fine-tuning.
        make_config: the class of its program's settings.
        make_task: the class of its task.
        changes: fields of the config that are to have another value.

    Raises:
        ValueError: the settings are not such.
    """
    settings = run_settings.read(directory)
    fields = {
        **settings.get("config", {}),
        "output_dir": directory,
        "bert_config_file": os.path.join(directory, "bert_config.json"),
        **vocabularies.flags_of(directory),
        **ONE_RUN,
        **changes,
    }
    try:
        check_kinds(make_config, fields)
        config = make_config(**fields)
    except (TypeError, ValueError) as error:
        raise _not_settings(directory, make_task, error) from None
    try:
        task = make_task(config)
        task.restore(settings.get("settings", {}))
    except ValueError as error:
        raise _not_settings(directory, make_task, error) from None
    return config, task


def _not_settings(directory, make_task, error):
    path = os.path.join(directory, run_settings.SETTINGS_FILE)
    return ValueError(
        f"{path}: not the settings of {make_task.program}: {error}"
    )
