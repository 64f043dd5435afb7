"""What a fine-tuned directory says of itself, and what a run says of it."""

import dataclasses
import math
import os

from absl import logging

from storage import file_io
from training import run_settings, strategy


def of_run(config, of_task, split):
    """Returns what settings.json says of a training on a `task.Split`."""
    return {
        "program": of_task.program,
        "task": of_task.name,
        "config": dataclasses.asdict(config),
        "settings": of_task.settings(),
        "training_rows": split.description,
    }


def write(config, made, stated):
    """Writes all that is needed to use the model without these flags.

    Args:
        config: a `config.FinetuningConfig`.
        made: a `model.Model`.
        stated: what `of_run` returned.
    """
    of_task = made.task
    labels = {}
    if of_task.labels:
        labels["id2label"] = {str(i): x for i, x in enumerate(of_task.labels)}
    bert = dataclasses.replace(
        made.config, extra={**made.config.extra, **labels}
    )
    path = os.path.join(config.output_dir, "bert_config.json")
    file_io.write_lines(path, [bert.to_json()])
    run_settings.write(config.output_dir, stated)
    vocab_file = os.path.join(config.output_dir, "vocab.txt")
    if os.path.abspath(config.vocab_file) != os.path.abspath(vocab_file):
        file_io.copy(config.vocab_file, vocab_file)


def restore_task(config, of_task):
    """Gives the task what a training before it found in the data.

    Raises:
        ValueError: --output_dir is of another program.
    """
    stated = run_settings.read(config.output_dir)
    run_settings.check_program(stated, of_task.program, config.output_dir)
    if "settings" in stated:
        of_task.restore(stated["settings"])


def log_arithmetic(config, devices, made, num_rows, num_train_steps, lengths):
    """Logs, once, what the flags come to."""
    low = made.mixed_precision
    logging.info(
        "devices: %s; matrices are multiplied in %s",
        strategy.describe(devices),
        "float32" if low == "none" else low,
    )
    logging.info(
        "%s rows, batches of %s: %s steps = %g epochs; rows are cut or padded "
        "to %s tokens",
        f"{num_rows:,}",
        config.train_batch_size,
        f"{num_train_steps:,}",
        config.num_train_epochs,
        ", ".join(map(str, lengths)),
    )
    num_parameters, num_trained = (
        sum(math.prod(variable.shape) for variable in variables)
        for variables in (
            made.variables,
            made.trained_variables(
                freeze_encoder=config.freeze_encoder,
                unfreeze_top_layers=config.unfreeze_top_layers,
            ),
        )
    )
    trained = f", of them {num_trained:,} trained" * config.freeze_encoder
    logging.info("model: %s parameters%s", f"{num_parameters:,}", trained)
