"""What a run tells: log lines or a bar, metrics.jsonl, TensorBoard, a picture.

A file that cannot be written is named in a warning and no reason to end.
"""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf
import tqdm
from absl import logging

from storage import file_io, json_files
from training import curves, metrics_file

METRICS_FILE = metrics_file.NAME
CURVES_FILE = "training_curves.png"

# Checkpoints may come faster than anybody looks.
_SECS_BETWEEN_PICTURES = 30
_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
_EVAL = "eval_"
# What a step takes: to be reckoned with, and no news for the log.
_WORK = "_per_step"
# Of the picture's rows, of a run before this one.
_MOST_ROWS = 2_000


class Summaries:
    """Writes the metrics of a run; a process that is no chief writes none.

    Args:
        directory: where metrics.jsonl and TensorBoard's files go.
        start_step: where the run starts; later lines, of a run that was cut
            off after its last checkpoint, are dropped.
        num_steps: where it ends, or None where nobody knows.
        cost_of: what all steps up to one cost, in any unit; tells the time
            that is left where steps are not alike.
        shown: which numbers stand on the bar of a terminal.
        is_chief: whether this process writes.
    """

    def __init__(
        self,
        directory: str,
        *,
        start_step: int,
        num_steps: int | None,
        cost_of: Callable[[int], float] = float,
        shown: Sequence[str] = ("loss",),
        is_chief: bool = True,
    ):
        self._directory = directory
        self._path = os.path.join(directory, METRICS_FILE)
        self._is_chief = is_chief
        self._num_steps = num_steps
        self._cost_of = cost_of
        self._shown = shown
        # Step and time at which the first block ended.
        self._pace: tuple[int, float] | None = None
        self._step = start_step
        self._drawn = time.monotonic()
        self._unwritten = ""
        # Of the picture, once one is drawn.
        self._rows: curves.Rows | None = None
        self._start_line: int | None = None
        if is_chief:
            file_io.make_directory(directory)
            self._start_line = metrics_file.cut_after(self._path, start_step)
            self._writer = tf.summary.create_file_writer(directory)
        self._is_terminal = is_chief and sys.stderr.isatty()
        self._bar = tqdm.tqdm(
            initial=start_step,
            total=num_steps,
            unit="step",
            disable=not self._is_terminal,
            dynamic_ncols=True,
        )

    def describe(self, flags: Mapping[str, Any]) -> None:
        """Records {flag: value} as TensorBoard's hyperparameters and text."""
        if not self._is_chief:
            return
        from tensorboard.plugins.hparams import api

        rows = [f"| {name} | {value} |" for name, value in flags.items()]
        table = "\n".join(["| flag | value |", "| --- | --- |", *rows])
        known = {k: v for k, v in flags.items() if v is not None}
        with self._writer.as_default(step=self._step):
            tf.summary.text("flags", table)
            api.hparams(known)

    def has(self, step: int) -> bool:
        """Returns whether a run before this one wrote of the step it ended at.

        A process that is no chief does not know.
        """
        return self._start_line == step

    def advance(self, step: int) -> None:
        """Notes that `step` is done."""
        self._step = step
        if self._pace is None:
            # What was compiled in the first steps is no pace for the others.
            self._pace = (step, time.monotonic())
            self._bar.unpause()
        self._bar.update(step - self._bar.n)

    def forget_pace(self) -> None:
        """Notes that the next steps are others, and compiled anew."""
        self._pace = None

    def write(self, step: int, metrics: Mapping[str, float]) -> None:
        """Records {name: number} of the steps up to `step`."""
        if not self._is_chief:
            return
        if self._is_terminal:
            shown = {k: metrics[k] for k in self._shown if k in metrics}
            self._bar.set_postfix(shown, refresh=False)
        self._log_metrics(step, metrics)
        row = {"step": step, **metrics}
        if self._rows:
            self._rows.add(row)
        self._unwritten += json_files.line(row) + "\n"
        with _named(self._path):
            metrics_file.append(self._path, self._unwritten)
            self._unwritten = ""
        with _named("TensorBoard's file"):
            with self._writer.as_default(step=step):
                for name, value in metrics.items():
                    tf.summary.scalar(name, value)
            self._writer.flush()

    def saved(self, prefix: str, *, is_last: bool) -> None:
        """Notes a checkpoint, and draws the curves up to it."""
        self.log(f"saved {prefix}")
        now = time.monotonic()
        if not self._is_chief or not (
            is_last or now - self._drawn > _SECS_BETWEEN_PICTURES
        ):
            return
        self._drawn = now
        path = os.path.join(self._directory, CURVES_FILE)
        if self._rows is None:
            rows = metrics_file.rows(self._path, most=_MOST_ROWS)
            self._rows = curves.Rows(rows)
        with _named(path):
            curves.write(self._rows, path, os.path.basename(self._directory))

    def _log_metrics(self, step, metrics):
        """Logs what was trained and, on a line of its own, what was held out.

        A bar on a terminal shows the first by itself.
        """
        told = {k: v for k, v in metrics.items() if not k.endswith(_WORK)}
        trained = {k: v for k, v in told.items() if not k.startswith(_EVAL)}
        if trained and not self._is_terminal:
            numbers = "  ".join(f"{k} {v:.4g}" for k, v in trained.items())
            self.log(f"step {step}  {numbers}{self._time_left()}")
        if len(trained) < len(told):
            numbers = "  ".join(
                f"{k} {v:.6g}" for k, v in told.items() if k not in trained
            )
            self.log(f"evaluation at step {step}  {numbers}")

    def log(self, line: str) -> None:
        """Logs one line, without tearing the progress bar."""
        if not self._is_chief:
            return
        with _bar_aside(self._bar):
            logging.info("%s", line)

    def _time_left(self):
        first, started = self._pace or (self._step, 0)
        num_steps = self._num_steps
        if num_steps is None or self._step == first or self._step >= num_steps:
            return ""
        here = self._cost_of(self._step)
        pace = (time.monotonic() - started) / (here - self._cost_of(first))
        left = pace * (self._cost_of(num_steps) - here)
        return f"  {format_duration(left)} left"

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._bar.close()
        if self._is_chief:
            with _named("TensorBoard's file"):
                self._writer.close()


def format_duration(seconds: float) -> str:
    """Returns seconds in the two largest units that are not 0."""
    left = round(seconds)
    parts: list[str] = []
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count} {unit}")
        elif parts:
            break
    return " ".join(parts[:2])


@contextlib.contextmanager
def _named(path):
    """Makes of an error of a file a warning."""
    try:
        yield
    except (tf.errors.OpError, OSError) as error:
        logging.warning(
            "%s could not be written: %s",
            path,
            getattr(error, "message", None) or error,
        )


@contextlib.contextmanager
def _bar_aside(bar):
    if bar.disable:
        yield
        return
    bar.clear()
    try:
        yield
    finally:
        sys.stderr.flush()
        bar.refresh()
