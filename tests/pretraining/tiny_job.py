"""A small pretraining job: its inputs, its settings, and what it leaves."""

import json

import tensorflow as tf

from pretraining import config, train
from tests import tiny

NUM_RECORDS = 22


def write_inputs(directory):
    """Writes the model's shape and records to train and to evaluate on."""
    (directory / "bert.json").write_text(
        json.dumps(tiny.CONFIG | {"num_hidden_layers": 1})
    )
    tiny.write_records(directory / "train.tfrecord", NUM_RECORDS, seed=1)
    tiny.write_records(directory / "eval.tfrecord", 11, seed=2)


def run(directory, output, **settings):
    """Runs the job; returns the numbers of its evaluation."""
    defaults = {
        "bert_config_file": str(directory / "bert.json"),
        "input_file": str(directory / "train.tfrecord"),
        "eval_input_file": str(directory / "eval.tfrecord"),
        "output_dir": str(directory / output),
        "max_seq_length": tiny.NUM_TOKENS,
        "max_predictions_per_seq": tiny.NUM_PREDICTIONS,
        "do_train": True,
        "train_batch_size": 8,
        "learning_rate": 1e-3,
        "num_train_steps": 8,
        "num_warmup_steps": 2,
        "save_checkpoints_steps": 4,
        "mixed_precision": "none",
    }
    return train.run(config.PretrainingConfig(**defaults | settings))


def tensors(directory, step):
    """Returns what a checkpoint holds, by name."""
    reader = tf.train.load_checkpoint(str(directory / f"model.ckpt-{step}"))
    return {
        name: reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
    }


def metrics(directory):
    """Returns the lines of metrics.jsonl."""
    lines = (directory / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]
