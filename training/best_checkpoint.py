"""The checkpoint with the best held-out number, kept beside the newest ones."""

import json
import math
import os

import tensorflow as tf
from absl import logging

from training import checkpoint, text_files

FOLDER = "best"

_RECORD = "best.json"


class BestCheckpoint:
    """Keeps one checkpoint, the one an evaluation found best, in best/.

    Args:
        newest: the `checkpoint.Checkpoints` of the run.
        metric: what decides; the lowest is best where its name ends in
            "loss", else the highest.
    """

    def __init__(self, newest, *, metric):
        directory = os.path.join(newest.directory, FOLDER)
        self._checkpoints = checkpoint.Checkpoints(
            directory,
            newest.variables,
            keep_max=1,
            is_chief=newest.is_chief,
        )
        self._metric = metric
        self._sign = 1 if metric.endswith("loss") else -1
        self._path = os.path.join(directory, _RECORD)
        self._best = self._read()

    def offer(self, step, metrics):
        """Saves the variables if the metrics of `step` are better than any."""
        value = metrics[self._metric]
        is_better = math.isfinite(value) and (
            self._best is None or self._sign * value < self._sign * self._best
        )
        if not is_better or not self._checkpoints.is_chief:
            return
        self._best = value
        self._checkpoints.save(step)
        record = {"metric": self._metric, "value": value, "step": step}
        text_files.write_lines(self._path, [json.dumps(record)])
        logging.info(
            "best %s so far, %.4g: saved %s",
            self._metric,
            value,
            self._checkpoints.prefix(step),
        )

    def _read(self):
        """Returns the number of the checkpoint that is there, or None."""
        if not tf.io.gfile.exists(self._path):
            return None
        with tf.io.gfile.GFile(self._path) as file:
            record = json.loads(file.read())
        if record["metric"] != self._metric:
            raise ValueError(
                f"{self._path} is of --keep_best_metric={record['metric']}, "
                f"not of {self._metric}; move the folder away"
            )
        # A kill may have come between the checkpoint and this record of it.
        steps = checkpoint.saved_steps(self._checkpoints.directory)
        return record["value"] if record["step"] in steps else None
