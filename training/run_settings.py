"""settings.json: what a run was told, for those that go on from it."""

import json
import os

from absl import logging

from storage import json_files

SETTINGS_FILE = "settings.json"
_SHAPE = {
    "program?": str,
    "task?": str,
    "config?": dict,
    "settings?": {"labels?": ([str], None)},
    "training_rows?": (dict, None),
}

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
    """Returns what `write` was given; {} where it was not called.

    A damaged file is named in a warning, and is as if it were not there: a run
    goes on without it.
    """
    path = os.path.join(directory, SETTINGS_FILE)
    return json_files.read_or_none(path, _SHAPE) or {}


def write(directory, settings):
    """Writes {"program": its name, "config": {flag: value}, ...}."""
    json_files.write(os.path.join(directory, SETTINGS_FILE), settings)


def check_program(before, program, directory):
    """Refuses to go on in the directory of another program.

    Args:
        before: what `read` returned.
        program: the name of this one.
        directory: where the settings are.

    Raises:
        ValueError: it is of another; names it.
    """
    theirs = before.get("program", program)
    if theirs != program:
        raise ValueError(
            f"--output_dir={directory} holds a model of {theirs}, as its "
            f"{SETTINGS_FILE} says, and this is {program}; give another "
            "--output_dir"
        )


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
        changes.append(_describe_rows(rows, settings["training_rows"]))
    if changes:
        logging.warning(
            "%s was trained with other settings, and the run goes on from it: "
            "%s. For a run of its own give another --output_dir",
            newest,
            "; ".join(changes),
        )


def _describe_rows(before, now):
    told = [rows.get("summary") for rows in (before, now)]
    if not all(told):
        return "the training rows are others"
    return f"the training rows are others ({told[0]} then, {told[1]} now)"
