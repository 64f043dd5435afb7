"""What a model's card says: its shape, how it was trained, what it scored."""

import json
import os
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from modeling.config import BertConfig
from storage import file_io, json_files
from training import run_settings

_RESULTS = "eval_results.txt"
_METRICS = "metrics.jsonl"
_MOST_POINTS = 200
# Flags of a training that say something of the model, and no path.
_TOLD = (
    *("objective", "learning_rate", "train_batch_size", "num_train_epochs"),
    *("num_train_steps", "optimizer", "max_seq_length", "task_name", "seed"),
)


def make(
    directory: str,
    architecture: BertConfig,
    weights: Iterable[Any],
    max_seq_length: int,
) -> dict[str, Any]:
    """Returns the card of a model, as values for JSON.

    Args:
        directory: of the model, whose files say how it was trained. Those of
            export/ stand in the folder above.
        architecture: its shape.
        weights: its variables.
        max_seq_length: tokens of its rows.
    """
    source = directory
    if os.path.basename(os.path.abspath(directory)) == "export":
        source = os.path.dirname(os.path.abspath(directory))
    settings = run_settings.read(source)
    flags = settings.get("config", {})
    scores = _scores(os.path.join(source, _RESULTS))
    return {
        "family": architecture.model_type,
        "shape": {
            "layers": architecture.num_hidden_layers,
            "width": architecture.hidden_size,
            "heads": architecture.num_attention_heads,
        },
        "parameters": sum(int(np.prod(x.shape)) for x in weights),
        "vocabulary_rows": architecture.vocab_size,
        "max_seq_length": max_seq_length,
        "training": {n: flags[n] for n in _TOLD if flags.get(n) is not None},
        "records": _num_records(settings),
        "steps": scores.pop("global_step", None),
        "scores": scores,
        "curve": _curve(os.path.join(source, _METRICS)),
    }


def _num_records(settings):
    """Returns how many a pretraining read; None of a fine-tuning's rows."""
    summary = (settings.get("training_rows") or {}).get("summary")
    found = re.fullmatch(r".* (\d+) records", summary or "")
    return int(found[1]) if found else None


def _scores(path):
    """Returns {name: number} of a file of `name = number`; {} without one."""
    if not file_io.exists(path):
        return {}
    found = {}
    for line in file_io.read_bytes(path).decode("utf-8").splitlines():
        name, _, value = line.partition(" = ")
        try:
            found[name] = json.loads(value)
        except ValueError:
            continue
    return {n: x for n, x in found.items() if isinstance(x, (int, float))}


def _curve(path) -> Sequence[dict[str, Any]]:
    """Returns [{"step", and numbers of the loss}], not too many of them."""
    if not file_io.exists(path):
        return []
    lines = file_io.read_bytes(path).splitlines()
    every = -(-len(lines) // _MOST_POINTS)
    points = []
    for number, line in enumerate(lines[::every] if every else [], start=1):
        point = json_files.parse_line(line, path, number * every)
        kept = {n: x for n, x in point.items() if _is_of_curve(n, x)}
        points.append(kept)
    return points


def _is_of_curve(name, value):
    words = ("loss", "accuracy", "f1", "step")
    return name.endswith(words) and isinstance(value, (int, float))
