"""What a teacher says of the training rows: one more label of each.

It is computed once, before the student's first step, and kept beside the rows:
any model that answers the same task can teach, whatever its family, its size
and its pieces of words, and a training needs no memory for it.

Shapes: N rows, B batch.
"""

import hashlib
import os

import numpy as np
import tensorflow as tf
from absl import logging

from finetuning import cache, directory, preflight
from finetuning.config import FinetuningConfig
from finetuning.model import Model
from finetuning.prediction import Predictor
from finetuning.task import Rows, Split, Task, Tensors
from training import best_checkpoint, checkpoint, run_settings, strategy

_PREFIX = "teacher_"
_FILE = "teacher.tf_record"
_LONGEST = 200


def teach(
    config: FinetuningConfig,
    task: Task,
    split: Split,
    devices: tf.distribute.Strategy,
) -> Split:
    """Returns the training rows with what the teacher says of each.

    Args:
        config: names the teacher, or a file of what it said.
        task: of the student; it has read the split.
        split: "train".
        devices: where the teacher runs.

    Raises:
        ValueError: there is no such teacher, it answers another task, or its
            file is of other rows; names the flag.
    """
    if config.teacher_dir:
        made_from = {"rows": split.description, "teacher": _describe(config)}
        outputs = cache.rows(
            os.path.join(config.output_dir, _FILE),
            made_from,
            lambda: _compute(config, task, split, devices),
            is_writer=strategy.is_chief(devices),
        )
    else:
        outputs = task.read_soft_labels(split.examples)
        made_from = {"soft_labels": _digest_of(outputs)}
    rows = {_PREFIX + name: value for name, value in outputs.items()}
    description = {**(split.description or {}), "taught": made_from}
    return Split(
        split.name, split.examples, {**split.rows, **rows}, description
    )


def outputs_in(batch: Tensors) -> Tensors:
    """Returns {output: [B, ...]}, what the teacher says of a batch."""
    return {
        name.removeprefix(_PREFIX): value
        for name, value in batch.items()
        if name.startswith(_PREFIX)
    }


def _describe(config):
    """Returns what the teacher's answers depend on, values for JSON."""
    best = os.path.join(config.teacher_dir, best_checkpoint.FOLDER)
    for folder in (best, config.teacher_dir):
        steps = checkpoint.saved_steps(folder)
        if steps:
            # It has a checksum of each variable.
            index = os.path.join(folder, f"model.ckpt-{steps[-1]}.index")
            settings = os.path.join(
                config.teacher_dir, run_settings.SETTINGS_FILE
            )
            return {"index": cache.digest(index), "of": cache.digest(settings)}
    raise ValueError(
        f"--teacher_dir={config.teacher_dir} has no checkpoint: it is not the "
        "--output_dir of a fine-tuning"
    )


def _digest_of(outputs):
    found = hashlib.sha256()
    for name in sorted(outputs):
        found.update(np.ascontiguousarray(outputs[name]).tobytes())
    return found.hexdigest()


def load(
    config: FinetuningConfig, task: Task, devices: tf.distribute.Strategy
) -> Model:
    """Returns the model of --teacher_dir, which answers what the student does.

    Raises:
        ValueError: there is none, or it answers another task.
    """
    directory_of = str(config.teacher_dir)
    before = run_settings.read(directory_of)
    named = f"--teacher_dir={directory_of}"
    if before.get("task") != task.name:
        raise ValueError(
            f"{named} holds a model of {before.get('program')}, and this is "
            f"{task.program}"
        )
    settings, teacher = directory.load(directory_of, type(config), type(task))
    _check_answers(named, task, teacher)
    architecture = preflight.read_bert_config(settings)
    model = Model.of(settings, architecture, teacher, devices)
    directory.restore_weights(settings, model)
    return model


def _compute(config, task, split, devices):
    """Returns the teacher's outputs of the training rows, {name: [N, ...]}."""
    model = load(config, task, devices)
    named = f"--teacher_dir={config.teacher_dir}"
    rows = model.task.make_rows("train", split.examples)
    check_rows(named, split.rows, rows, per_token=model.per_token)
    logging.info("%s answers the %s training rows", named, split.num_rows)
    predictor = Predictor(
        devices,
        model,
        batch_size=config.train_batch_size,
        group_by_length=not isinstance(devices, tf.distribute.TPUStrategy),
    )
    return predictor.outputs(rows)


def _check_answers(named, task, teacher):
    """Refuses a teacher whose outputs mean something else than ours."""
    for what, theirs, ours in (
        ("is of the kind", teacher.output_kind, task.output_kind),
        ("has the labels", *map(_listed, (teacher.labels, task.labels))),
    ):
        if theirs != ours:
            raise ValueError(
                f"{named} {what} {theirs}, and this training {what} {ours}"
            )


def _listed(labels):
    return ", ".join(labels)[:_LONGEST]


def check_rows(
    named: str, ours: Rows, theirs: Rows, *, per_token: bool
) -> None:
    """Refuses a teacher at whose tokens something is learned, of other tokens.

    Raises:
        ValueError: it makes other tokens of the training rows.
    """
    are_same = np.array_equal(ours["input_ids"], theirs["input_ids"])
    if per_token and not are_same:
        raise ValueError(
            f"{named} makes other tokens of the training rows, and teaches at "
            "each token: it wants the student's vocabulary, --do_lower_case, "
            "--max_seq_length and windows"
        )
