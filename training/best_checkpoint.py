"""The checkpoint with the best held-out number, kept beside the newest ones."""

import math
import os
from collections.abc import Mapping

from absl import logging

from storage import file_io, json_files
from training import checkpoint

FOLDER = "best"

_RECORD = "best.json"
_SHAPE = {"metric": str, "value": float, "step": int}


def sign(metric: str) -> int:
    """Returns 1 where the lowest value of a metric is best, a loss's, else -1.

    Values times it are in order, the best first.
    """
    return 1 if metric.endswith("loss") else -1


class BestCheckpoint:
    """Keeps one checkpoint, the one an evaluation found best, in best/.

    Args:
        newest: those of the run.
        metric: what decides; the lowest is best where its name ends in
            "loss", else the highest.
    """

    def __init__(self, newest: checkpoint.Checkpoints, *, metric: str):
        directory = os.path.join(newest.directory, FOLDER)
        self._checkpoints = checkpoint.Checkpoints(
            directory,
            newest.variables,
            keep_max=1,
            is_chief=newest.is_chief,
        )
        self._metric = metric
        self._sign = sign(metric)
        self._path = os.path.join(directory, _RECORD)
        self._best = self._read()

    def offer(self, step: int, metrics: Mapping[str, float]) -> None:
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
        file_io.write_lines(self._path, [json_files.line(record)])
        self._checkpoints.drop_others(step)
        logging.info(
            "best %s so far, %.6g: saved %s",
            self._metric,
            value,
            self._checkpoints.prefix(step),
        )

    def _read(self) -> float | None:
        """Returns the number of the checkpoint that is there, or None."""
        record = json_files.read_or_none(self._path, _SHAPE)
        if record is None:
            return None
        if record["metric"] != self._metric:
            raise ValueError(
                f"{self._path} is of --keep_best_metric={record['metric']}, "
                f"not of {self._metric}; move the folder away"
            )
        # A kill may have come between the checkpoint and this record of it.
        steps = checkpoint.saved_steps(self._checkpoints.directory)
        return record["value"] if record["step"] in steps else None
