"""What is checked before anything is computed or written."""

import dataclasses

import tensorflow as tf
from absl import logging

from data.config import MaskingConfig
from data.feeding import record_checks, record_files
from interop import start
from pretraining import training_step
from training import checkpoint, schedules


def read_bert_config(config):
    """Returns the `BertConfig` of --bert_config_file."""
    return start.read_config(
        config.bert_config_file, max_seq_length=config.max_seq_length
    )


def initialize(config, objective):
    """Takes the weights of --init_checkpoint; see `interop.start`."""
    return start.initialize(
        config.init_checkpoint,
        checkpoint.by_path(objective.variables),
        objective.encoder.config,
        config_file=config.bert_config_file,
        allow_partial=config.allow_partial_init,
    )


def warn_of_few_steps(config):
    """Says where the learning rate does not come to its peak."""
    if config.do_train:
        schedules.warn_of_few_steps(
            training_step.num_warmup_steps(config),
            config.num_train_steps,
            "--num_train_steps, or set --num_warmup_steps lower",
        )


def find_records(config, bert):
    """Returns the record files to train on and to evaluate on.

    Raises:
        ValueError: there are none, or they do not fit the flags.
    """
    train_files = _find(config, config.input_file, "input_file", bert)
    eval_files = []
    is_evaluated = config.do_eval or config.eval_every_steps
    if is_evaluated and config.eval_input_file:
        eval_files = _find(
            config, config.eval_input_file, "eval_input_file", bert
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
    dynamic = [file for file in files if file.masking == "dynamic"]
    given = [
        f"--{field.name}={getattr(config, field.name)}"
        for field in dataclasses.fields(MaskingConfig)
        if field.name != "max_predictions_per_seq"
        and getattr(config, field.name) != field.default
    ]
    if given and not dynamic:
        raise ValueError(
            f"{files[0].path} was masked when it was built, so that "
            f"{' '.join(given)} has no effect; remove it, or build the records "
            "again with --masking=dynamic"
        )
    if config.do_whole_word_mask and any(
        file.stated("word_segmenter") == "none" for file in dynamic
    ):
        logging.warning(
            "--do_whole_word_mask on records built with --word_segmenter=none: "
            "every Chinese character is a word of its own"
        )


def check_batch_sizes(config, devices):
    """Checks that replicas and their parts can share a batch evenly."""
    replicas = devices.num_replicas_in_sync
    for name, parts in (
        ("train_batch_size", config.gradient_accumulation_steps),
        ("eval_batch_size", 1),
    ):
        in_parts = f" in {parts} parts each" if parts > 1 else ""
        if getattr(config, name) % (replicas * parts):
            raise ValueError(
                f"--{name}={getattr(config, name)} is the batch of all "
                f"{replicas} replicas together{in_parts} and must be a "
                f"multiple of {replicas * parts}"
            )


def _find(config, patterns, flag, bert):
    try:
        files = record_files.find(patterns, flag=flag)
        record_checks.check(
            files,
            max_seq_length=config.max_seq_length,
            max_predictions_per_seq=config.max_predictions_per_seq,
            vocab_size=bert.vocab_size,
        )
    except tf.errors.OpError as error:
        raise ValueError(f"--{flag}: {error.message}") from None
    if config.use_nsp and files[0].stated("pair_task") == "none":
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
