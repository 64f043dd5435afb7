"""What can be known to be wrong before anything is computed."""

import os

import tensorflow as tf

from interop import formats, hugging_face_config
from modeling import config as model_config
from text import corpus, vocab
from training import checkpoint


def read_bert_config(config):
    """Reads --bert_config_file and checks it against the other flags."""
    if not corpus.exists(config.bert_config_file):
        raise ValueError(f"--bert_config_file: no {config.bert_config_file}")
    bert = _read_shape(config.bert_config_file)
    if config.max_seq_length > bert.max_position_embeddings:
        raise ValueError(
            f"--max_seq_length={config.max_seq_length} is more than "
            f"max_position_embeddings={bert.max_position_embeddings} of "
            f"{config.bert_config_file}"
        )
    num_rows = len(vocab.load(config.vocab_file))
    if num_rows > bert.vocab_size:
        raise ValueError(
            f"--vocab_file={config.vocab_file} has {num_rows} rows, "
            f"{config.bert_config_file} has vocab_size={bert.vocab_size}: they "
            "are not of one model"
        )
    return bert


def _read_shape(path):
    with tf.io.gfile.GFile(path) as file:
        bert = model_config.from_json(file.read(), path)
    # Hugging Face's config.json has other names for the same activations.
    if os.path.basename(path) == hugging_face_config.CONFIG:
        bert, _ = hugging_face_config.read(os.path.dirname(path))
    return bert


def check_output_dir(config):
    """Makes --output_dir, which shows whether it can be written to."""
    try:
        corpus.make_directory(config.output_dir)
    except tf.errors.OpError as error:
        raise ValueError(f"--output_dir: {error.message}") from None
    except OSError as error:
        raise ValueError(
            f"--output_dir: {config.output_dir}: {error.strerror or error}"
        ) from None


def check_batch_sizes(config, devices):
    """Checks that replicas and their parts can share a batch evenly."""
    replicas = devices.num_replicas_in_sync
    for name, parts in (
        ("train_batch_size", config.gradient_accumulation_steps),
        ("eval_batch_size", 1),
        ("predict_batch_size", 1),
    ):
        in_parts = f" in {parts} parts each" if parts > 1 else ""
        if getattr(config, name) % (replicas * parts):
            raise ValueError(
                f"--{name}={getattr(config, name)} is the batch of all "
                f"{replicas} replicas together{in_parts} and must be a "
                f"multiple of {replicas * parts}"
            )


def initialize(config, made):
    """Takes the weights of --init_checkpoint, of whatever format.

    A head of another task, which has other shapes, is left aside.

    Returns:
        A table for the log: what was loaded, newly initialised, unused.

    Raises:
        ValueError: it cannot be read or is of another model.
    """
    weights = formats.read_weights(config.init_checkpoint)
    if weights.config:
        for name in ("num_attention_heads", "hidden_act"):
            theirs = getattr(weights.config, name)
            ours = getattr(made.config, name)
            if theirs != ours:
                raise ValueError(
                    f"--init_checkpoint={config.init_checkpoint} has {name}="
                    f"{theirs}, {config.bert_config_file} {ours}"
                )
    variables = checkpoint.by_path(made.variables)
    values = {
        name: value
        for name, value in weights.values.items()
        if name.startswith("bert/")
        or name not in variables
        or tuple(variables[name].shape) == tuple(value.shape)
    }
    return checkpoint.initialize(variables, values, weights.source)
