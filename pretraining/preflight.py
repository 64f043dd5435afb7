"""What is checked before anything is computed or written."""

import dataclasses

import tensorflow as tf
from absl import logging

from data.config import MaskingConfig
from data.feeding import record_checks, record_files
from data.feeding.record_files import RecordFile
from interop import start
from modeling.config import BertConfig
from pretraining import mask_share
from pretraining.config import PretrainingConfig
from training import schedules, strategy
from training.objective import Objective


def read_bert_config(config: PretrainingConfig) -> BertConfig:
    """Returns the shape of the model, as --bert_config_file says."""
    return start.read_config(
        config.bert_config_file, max_seq_length=config.max_seq_length
    )


def warn_of_few_steps(config: PretrainingConfig) -> None:
    """Says where the learning rate does not come to its peak."""
    if config.do_train:
        schedules.warn_of_few_steps(
            config.warmup_steps,
            config.num_train_steps,
            "--num_train_steps, or set --num_warmup_steps lower",
        )


def find_records(
    config: PretrainingConfig, architecture: BertConfig
) -> tuple[list[RecordFile], list[RecordFile]]:
    """Returns the record files to train on and to evaluate on.

    Raises:
        ValueError: there are none, or they do not fit the flags.
    """
    train_files = _find(config, config.input_file, "input_file", architecture)
    eval_files = []
    is_evaluated = config.do_eval or config.eval_every_steps
    if is_evaluated and config.eval_input_file:
        eval_files = _find(
            config, config.eval_input_file, "eval_input_file", architecture
        )
    elif is_evaluated:
        logging.warning(
            "NO --eval_input_file: EVALUATING ON THE TRAINING FILES. The "
            "figures say how well these records are remembered, not how well "
            "other text is read"
        )
        eval_files = train_files
    _check_masking(config, [*train_files, *eval_files])
    return train_files, eval_files


def _check_masking(config, files):
    """Checks that the masks can be drawn as the flags say."""
    mask_share.check_room(config)
    dynamic = [file for file in files if file.masking == "dynamic"]
    given = [
        f"--{field.name}={getattr(config, field.name)}"
        for field in dataclasses.fields(MaskingConfig)
        if field.name != "max_predictions_per_seq"
        and getattr(config, field.name) != field.default
    ]
    if config.masked_lm_prob_end is not None:
        given.append(f"--masked_lm_prob_end={config.masked_lm_prob_end}")
    if given and not dynamic:
        raise ValueError(
            f"{files[0].path} was masked when it was built, so that "
            f"{' '.join(given)} has no effect; remove it, or build the records "
            "again with --masking=dynamic"
        )
    if config.do_whole_word_mask and any(
        file.facts.word_segmenter == "none" for file in dynamic
    ):
        logging.warning(
            "--do_whole_word_mask on records built with --word_segmenter=none: "
            "every Chinese character is a word of its own"
        )


def check_best_metric(metric: str | None, objective: Objective) -> None:
    """Checks that the objective reports what --keep_best_metric names."""
    names = ["loss", *objective.term_names]
    if metric not in (None, *names):
        raise ValueError(
            f"--keep_best_metric={metric} is not among what "
            f"is evaluated: {', '.join(names)}"
        )


def check_batch_sizes(
    config: PretrainingConfig, devices: tf.distribute.Strategy
) -> None:
    """Checks that replicas and their parts can share a batch evenly."""
    strategy.check_batch_sizes(
        devices,
        {
            "train_batch_size": config.train_batch_size,
            "eval_batch_size": config.eval_batch_size,
        },
        train_batch_size=config.gradient_accumulation_steps,
    )


def _find(config, patterns, flag, architecture):
    try:
        files = record_files.find(patterns, flag=flag)
        record_checks.check(
            files,
            max_seq_length=config.max_seq_length,
            max_predictions_per_seq=config.max_predictions_per_seq,
            vocab_size=architecture.vocab_size,
        )
    except tf.errors.OpError as error:
        raise ValueError(f"--{flag}: {error.message}") from None
    if config.use_nsp and files[0].facts.pair_task == "none":
        raise ValueError(
            f"{files[0].path} was built with pair_task=none and has no pairs, "
            "but --use_nsp=true; set --use_nsp=false"
        )
    if config.use_nsp and not files[0].has_pairs:
        raise ValueError(
            f"{files[0].path} has no next_sentence_labels, but --use_nsp=true; "
            "set --use_nsp=false"
        )
    return files
