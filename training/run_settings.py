"""settings.json: what a run was told, for those that go on from it."""

import json
import os

import tensorflow as tf
from absl import logging

from training import text_files

SETTINGS_FILE = "settings.json"

# Flags on which no weight depends, or of which something else tells.
_OF_NO_WEIGHT = frozenset(
    {
        *("bert_config_file", "vocab_file", "output_dir", "seeds", "strict"),
        *("data_dir", "train_file", "eval_file", "predict_file"),
        *("eval_input_file", "do_train", "do_eval", "do_predict"),
        *("eval_batch_size", "predict_batch_size", "max_eval_steps"),
        *("eval_every_steps", "keep_best", "keep_best_metric"),
        *("early_stopping", "save_checkpoints_steps", "keep_checkpoint_max"),
        *("iterations_per_loop", "max_bad_steps", "peak_teraflops"),
        *("use_tpu", "tpu_name", "tpu_zone", "gcp_project", "master"),
        *("num_tpu_cores", "n_best_size", "max_answer_length"),
        *("null_score_diff_threshold", "answer_metric", "verbose_logging"),
    }
)


def read(directory):
    """Returns what `write` was given; {} where it was not called."""
    path = os.path.join(directory, SETTINGS_FILE)
    if not tf.io.gfile.exists(path):
        return {}
    with tf.io.gfile.GFile(path) as file:
        return json.loads(file.read())


def write(directory, settings):
    """Writes {"config": {flag: value}, ...}."""
    text_files.write_json(os.path.join(directory, SETTINGS_FILE), settings)


def warn_of_changes(before, settings, newest):
    """Logs what decides on the weights and is not as when a run began.

    Args:
        before: what `read` returned.
        settings: as for `write`; "training_rows" may describe the data.
        newest: the newest checkpoint of the run.
    """
    flags, now = before.get("config", {}), settings["config"]
    changes = [
        f"--{name} was {flags[name]!r} and is {now[name]!r}"
        for name in now
        if name in flags
        and name not in _OF_NO_WEIGHT
        and flags[name] != now[name]
    ]
    rows = before.get("training_rows")
    # As it looks after a round trip.
    if rows and rows != json.loads(json.dumps(settings["training_rows"])):
        changes.append("the training rows are others")
    if changes:
        logging.warning(
            "%s was trained with other settings, and the run goes on from it: "
            "%s. For a run of its own give another --output_dir",
            newest,
            "; ".join(changes),
        )
