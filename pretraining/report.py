"""What a run says of itself: the start-up lines and eval_results.txt."""

import math
import os

from absl import logging

from data.laws import LAWS
from storage import file_io
from training import strategy

EVAL_RESULTS_FILE = "eval_results.txt"


def log_arithmetic(config, devices, objective, files):
    """Logs, once, what the flags come to."""
    replicas = devices.num_replicas_in_sync
    batch_size = config.train_batch_size
    num_parts = config.gradient_accumulation_steps
    num_records = sum(file.num_records for file in files)
    epochs = config.num_train_steps * batch_size / num_records
    num_parameters = sum(
        math.prod(variable.shape) for variable in objective.variables
    )
    low = objective.mixed_precision
    logging.info(
        "devices: %s; matrices are multiplied in %s",
        strategy.describe(devices),
        "float32" if low == "none" else low,
    )
    logging.info(
        "batch: %s sequences = %s x %s%s; %s tokens a step",
        f"{batch_size:,}",
        replicas,
        f"{batch_size // replicas:,}",
        f" in {num_parts} parts" if num_parts > 1 else "",
        f"{batch_size * config.max_seq_length:,}",
    )
    logging.info(
        "length: %s steps = %s epochs of %s records",
        f"{config.num_train_steps:,}",
        f"{epochs:,.1f}",
        f"{num_records:,}",
    )
    logging.info("model: %s parameters", f"{num_parameters:,}")
    logging.info("records: %s", describe_records(config, files))


def describe_records(config, files):
    """Says what the two segments are, who draws the masks, what is packed."""
    pair_task = files[0].facts.pair_task
    if files[0].masking == "static":
        made = f"pair task {pair_task}; masks drawn when they were built"
        if files[0].facts.pack_sequences:
            made += f"; {_sequences_a_record(files):.2f} sequences a record"
        return made
    word = "words" if config.do_whole_word_mask else "tokens"
    law = LAWS[config.mask_unit]
    return (
        f"pair task {pair_task}; masks drawn anew every epoch: "
        f"{law.describe(word)}, {config.masked_lm_prob:.0%} of the tokens "
        f"and at most {config.max_predictions_per_seq}, random words from "
        f"{config.random_words}"
    )


def _sequences_a_record(files):
    num_sequences = sum(
        file.num_records * file.facts.statistics["sequences_per_record"]
        for file in files
    )
    return num_sequences / sum(file.num_records for file in files)


def log_start(config, resumed_from, table, start_step):
    """Logs where the weights come from and how many steps remain.

    Args:
        config: a `PretrainingConfig`.
        resumed_from: the prefix of this run's checkpoint, or None.
        table: what `checkpoint.initialize` returned, or None.
        start_step: the global step.
    """
    if resumed_from:
        start = f"resumed at step {start_step:,} from {resumed_from}"
    elif table:
        start = f"initialised from {config.init_checkpoint}"
    else:
        start = "fresh start, random weights"
    remaining = max(config.num_train_steps - start_step, 0)
    logging.info("%s; %s steps remain", start, f"{remaining:,}")
    if table:
        logging.info("%s", table)


def log_evaluation(config, files, num_steps):
    """Logs how much of the evaluation files will be read."""
    num_records = sum(file.num_records for file in files)
    num_read = min(num_steps * config.eval_batch_size, num_records)
    logging.info(
        "evaluating %s of %s records, in %s steps of %s",
        f"{num_read:,}",
        f"{num_records:,}",
        f"{num_steps:,}",
        config.eval_batch_size,
    )
    logging.info("evaluation records: %s", describe_records(config, files))


def write_eval_results(output_dir, results):
    """Writes `key = value` lines, sorted, as google-research/bert does."""
    path = os.path.join(output_dir, EVAL_RESULTS_FILE)
    lines = [f"{key} = {results[key]}" for key in sorted(results)]
    file_io.write_lines(path, lines)
    for line in lines:
        logging.info("eval: %s", line)
