"""The start-up lines of a pretraining say what the flags come to."""

from collections.abc import Sequence

import tensorflow as tf
from absl import logging

from data.feeding.record_files import RecordFile
from data.laws import LAWS
from pretraining import mask_share
from pretraining.config import PretrainingConfig
from pretraining.feeds import Feed


def arithmetic(
    config: PretrainingConfig,
    devices: tf.distribute.Strategy,
    files: list[RecordFile],
) -> list[str]:
    """Returns lines that say what the flags come to."""
    replicas = devices.num_replicas_in_sync
    batch_size = config.train_batch_size
    num_parts = config.gradient_accumulation_steps
    in_parts = f" in {num_parts} parts" if num_parts > 1 else ""
    num_records = sum(file.num_records for file in files)
    if config.train_minutes is None:
        epochs = config.num_train_steps * batch_size / num_records
        length = f"{config.num_train_steps:,} steps = {epochs:,.1f} epochs of"
    else:
        length = f"{config.train_minutes:g} minutes, from"
    return [
        f"batch: {batch_size:,} sequences = {replicas} x "
        f"{batch_size // replicas:,}{in_parts}; "
        f"{batch_size * config.max_seq_length:,} tokens a step",
        f"length: {length} {num_records:,} records",
        f"records: {describe_records(config, files)}",
    ]


def arithmetic_of_stages(
    feeds: Sequence[Feed], flops: Sequence[float]
) -> list[str]:
    """Returns lines that say what --stages comes to.

    Args:
        feeds: those of the stages.
        flops: what all steps of each stage take.
    """
    lines = []
    for number, (feed, amount) in enumerate(zip(feeds, flops, strict=True), 1):
        stage = feed.stage
        num_records = sum(file.num_records for file in feed.files)
        epochs = stage.num_steps * stage.batch_size / num_records
        lines.append(
            f"stage {number} of {len(feeds)}: {stage.describe()}, steps "
            f"{stage.first_step:,} to {stage.end_step:,} = {epochs:,.1f} "
            f"epochs of {num_records:,} records; {amount:.3g} FLOPs, "
            f"{amount / sum(flops):.0%} of all; "
            f"{describe_records(feed.config, feed.files)}"
        )
    return lines


def describe_records(config: PretrainingConfig, files: list[RecordFile]) -> str:
    """Says what segments are, who draws the masks, what is packed or cut."""
    pair_task = files[0].facts.pair_task
    if files[0].masking == "static":
        line = f"pair task {pair_task}; masks drawn when they were built"
        if files[0].facts.pack_sequences:
            line += f"; {_sequences_a_record(files):.2f} sequences a record"
        return line
    word = "words" if config.do_whole_word_mask else "tokens"
    law = LAWS[config.mask_unit]
    line = (
        f"pair task {pair_task}; masks drawn anew every epoch: "
        f"{law.describe(word)}, {_describe_share(config)} of the tokens "
        f"and at most {config.max_predictions_per_seq}, random words from "
        f"{config.random_words}"
    )
    longest = max(file.facts.max_seq_length or 0 for file in files)
    if longest > config.max_seq_length:
        line += (
            f"; of {longest} tokens a window of {config.max_seq_length}, "
            "another one every epoch"
        )
    return line


def _describe_share(config):
    share = f"{config.masked_lm_prob:.0%}"
    if config.masked_lm_prob_end is None:
        return share
    return f"{share} going to {config.masked_lm_prob_end:.0%}"


def _sequences_a_record(files):
    num_sequences = sum(
        file.num_records * file.facts.statistics["sequences_per_record"]
        for file in files
    )
    return num_sequences / sum(file.num_records for file in files)


def log_evaluation(
    config: PretrainingConfig, files: list[RecordFile], num_steps: int
) -> None:
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
    masked = mask_share.of_evaluation(config)
    logging.info("evaluation records: %s", describe_records(masked, files))
