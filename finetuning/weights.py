"""The weights a run starts from, and those it is judged by."""

import os

from absl import logging

from finetuning import preflight
from training import best_checkpoint, checkpoint, optimizers, run_settings


def start(config, made, one_step, checkpoints, stated):
    """Sets the first weights; returns the step they are of.

    Args:
        config: a `config.FinetuningConfig`.
        made: a `model.Model`.
        one_step: a `training_step.TrainingStep`.
        checkpoints: the `checkpoint.Checkpoints` of the run.
        stated: what `settings.of_run` says of it.

    Raises:
        ValueError: --output_dir has a run that this one cannot go on from.
    """
    newest = checkpoints.newest()
    before = run_settings.read(config.output_dir)
    run_settings.check_program(before, stated["program"], config.output_dir)
    if newest:
        optimizers.refuse_change(newest, config.optimizer)
        _refuse_other_labels(config, before, stated)
        run_settings.warn_of_changes(before, stated, newest)
    resumed_from = checkpoints.restore_newest()
    start_step = int(one_step.optimizer.iterations.numpy())
    if resumed_from:
        logging.info("resumed at step %s from %s", start_step, resumed_from)
    elif config.init_checkpoint:
        logging.info("%s", preflight.initialize(config, made))
    else:
        logging.warning(
            "NO --init_checkpoint: TRAINING STARTS FROM RANDOM WEIGHTS"
        )
    return start_step


def _refuse_other_labels(config, before, now):
    labels, wanted = (
        list(stated.get("settings", {}).get("labels") or ())
        for stated in (before, now)
    )
    if labels and labels != wanted:
        raise ValueError(
            f"--output_dir={config.output_dir} has a training with the labels "
            f"{', '.join(labels)}, and these rows have {', '.join(wanted)}: "
            "give another --output_dir"
        )


def restore(config, made):
    """Takes the weights of the run before; returns the step they are of."""
    by_path = checkpoint.by_path(made.variables)
    best = os.path.join(config.output_dir, best_checkpoint.FOLDER)
    for directory in (best, config.output_dir):
        restored = checkpoint.restore_newest(directory, by_path)
        if restored:
            logging.info("weights of %s", restored)
            return checkpoint.step_of(restored)
    if not config.init_checkpoint:
        raise ValueError(
            f"--output_dir={config.output_dir} has no checkpoint; set "
            "--do_train, or --init_checkpoint to a fine-tuned model"
        )
    logging.info("%s", preflight.initialize(config, made))
    return 0
