"""settings.json: what a run was told, for those that go on from it."""

import json
import os
from collections.abc import Mapping
from typing import Any

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


def read(directory: str) -> dict[str, Any]:
    """Returns what `write` was given; {} where it was not called.

    A damaged file is named in a warning, and is as if it were not there: a run
    goes on without it.
    """
    path = os.path.join(directory, SETTINGS_FILE)
    return json_files.read_or_none(path, _SHAPE) or {}


def write(directory: str, described: Mapping[str, Any]) -> None:
    """Writes {"program": its name, "config": {flag: value}, ...}."""
    json_files.write(os.path.join(directory, SETTINGS_FILE), described)


def check_program(
    before: Mapping[str, Any], program: str, directory: str
) -> None:
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


def warn_of_changes(
    before: Mapping[str, Any],
    flags: Mapping[str, Any],
    training_rows: Any,
    newest: str,
) -> None:
    """Logs what decides on the weights and is not as when a run began.

    Args:
        before: what `read` returned.
        flags: those of this run on which the weights depend.
        training_rows: as `write` has them; a value for JSON.
        newest: the newest checkpoint of the run.
    """
    flags_before = before.get("config", {})
    changes = [
        f"--{name} was {flags_before[name]!r} and is {value!r}"
        for name, value in flags.items()
        if name in flags_before and flags_before[name] != value
    ]
    rows_before = before.get("training_rows")
    # As they look after a round trip.
    rows = json.loads(json.dumps(training_rows))
    if rows_before and rows_before != rows:
        changes.append(_describe_rows(rows_before, rows))
    if changes:
        logging.warning(
            "%s was trained with other settings, and the run goes on from it: "
            "%s. For a run of its own give another --output_dir",
            newest,
            "; ".join(changes),
        )


def _describe_rows(before: Mapping, now: Mapping) -> str:
    summaries = [rows.get("summary") for rows in (before, now)]
    if not all(summaries):
        return "the training rows are others"
    return "the training rows are others ({} then, {} now)".format(*summaries)
