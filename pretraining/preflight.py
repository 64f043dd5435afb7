"""What is checked before anything is computed or written."""

import tensorflow as tf
from absl import logging

from data import record_files
from modeling import config as model_config


def read_bert_config(config):
    """Returns the `BertConfig` of --bert_config_file."""
    path = config.bert_config_file
    try:
        with tf.io.gfile.GFile(path) as file:
            bert = model_config.from_json(file.read(), path)
    except tf.errors.OpError as error:
        raise ValueError(f"--bert_config_file: {error.message}") from None
    if config.max_seq_length > bert.max_position_embeddings:
        raise ValueError(
            f"--max_seq_length={config.max_seq_length} is more than "
            f"max_position_embeddings={bert.max_position_embeddings} in {path}"
        )
    return bert


def check_output_dir(config):
    """Makes --output_dir, which shows whether it can be written to."""
    try:
        tf.io.gfile.makedirs(config.output_dir)
    except tf.errors.OpError as error:
        raise ValueError(f"--output_dir: {error.message}") from None


def find_records(config, bert):
    """Returns the record files to train on and to evaluate on.

    Raises:
        ValueError: there are none, or they do not fit the flags.
    """
    train_files = _find(config, config.input_file, "input_file", bert)
    if not config.do_eval:
        return train_files, []
    if not config.eval_input_file:
        logging.warning(
            "NO --eval_input_file: EVALUATING ON THE TRAINING FILES. The "
            "figures say how well these records are remembered, not how well "
            "other text is read"
        )
        return train_files, train_files
    return train_files, _find(
        config, config.eval_input_file, "eval_input_file", bert
    )


def check_batch_sizes(config, devices):
    """Checks that the replicas can share a batch evenly."""
    replicas = devices.num_replicas_in_sync
    for name in ("train_batch_size", "eval_batch_size"):
        if getattr(config, name) % replicas:
            raise ValueError(
                f"--{name}={getattr(config, name)} is the batch of all "
                f"{replicas} replicas together and must be a multiple of "
                f"{replicas}"
            )


def _find(config, patterns, flag, bert):
    try:
        files = record_files.find(patterns, flag=flag)
        record_files.check(
            files,
            max_seq_length=config.max_seq_length,
            max_predictions_per_seq=config.max_predictions_per_seq,
            vocab_size=bert.vocab_size,
        )
    except tf.errors.OpError as error:
        raise ValueError(f"--{flag}: {error.message}") from None
    return files
