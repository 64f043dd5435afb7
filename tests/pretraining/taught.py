"""A tiny teacher, and settings of runs that learn from it."""

import shutil

import numpy as np

from interop import tf1
from interop.variables import PortableModel
from pretraining import masked_lm
from tests import tiny
from tests.pretraining import tiny_job


def write_teacher(directory, model_type="bert", tokenizer=None, **changes):
    """Writes a model of random weights as published; returns its path.

    The weights are large enough that it knows some words better than others.
    """
    config = tiny.config(model_type, **changes)
    objective = masked_lm.MaskedLm(config, use_nsp=False, seed=1)
    rng = np.random.default_rng(7)
    values = {
        x.path: (x.numpy() + rng.normal(size=x.shape, scale=0.1)).astype("f4")
        for x in objective.exported
    }
    model = PortableModel(
        config=config,
        head=objective.exported_head,
        values=values,
        tokenizer=tokenizer or {},
    )
    path = directory / f"teacher_{model_type}"
    tf1.export(str(path), model)
    return str(path)


def write_job(directory, student):
    """Writes the inputs of a job whose student has a config."""
    tiny_job.write_inputs(directory)
    (directory / "bert.json").write_text(student.to_json())


def run(job, output, teacher_dir, **settings):
    """Runs the job; returns the numbers of its evaluation."""
    defaults = {
        "objective": "distillation",
        "teacher_dir": teacher_dir,
        "use_nsp": False,
        "num_train_steps": 4,
        "save_checkpoints_steps": 2,
        "train_batch_size": 4,
    }
    return tiny_job.run(job, output, **defaults | settings)


def tensors_of_a_stopped_run(job, teacher_dir, **settings):
    """Goes on from step 2 of the run "trained"; returns the ends of both.

    It begins with what a kill after the save at step 2 leaves.
    """
    shutil.copytree(job / "trained", job / "stopped")
    for path in (job / "stopped").glob("model.ckpt-4.*"):
        path.unlink()
    run(job, "stopped", teacher_dir, **settings)
    return [tiny_job.tensors(job / x, 4) for x in ("trained", "stopped")]
