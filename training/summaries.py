"""What a run tells: log lines or a bar, metrics.jsonl, TensorBoard, a picture.

A file that cannot be written is named in a warning and no reason to end.
"""

import contextlib
import json
import os
import sys
import time

import tensorflow as tf
import tqdm
from absl import logging

from training import curves, text_files

METRICS_FILE = "metrics.jsonl"
CURVES_FILE = "training_curves.png"

# Checkpoints may come faster than anybody looks.
_SECS_BETWEEN_PICTURES = 30
_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
_ON_BAR = ("loss", "masked_lm_accuracy")


class Summaries:
    """Writes the metrics of a run; a process that is no chief writes none.

    Args:
        directory: where metrics.jsonl and TensorBoard's files go.
        start_step: where the run starts; later lines, of a run that was cut
            off after its last checkpoint, are dropped.
        num_steps: where it ends.
        is_chief: whether this process writes.
    """

    def __init__(self, directory, *, start_step, num_steps, is_chief=True):
        self._directory = directory
        self._path = os.path.join(directory, METRICS_FILE)
        self._is_chief = is_chief
        self._num_steps = num_steps
        self._pace = None  # Step and time at which the first block ended.
        self._step = start_step
        self._drawn = time.monotonic()
        self._unwritten = ""
        self._start_line = None
        if is_chief:
            tf.io.gfile.makedirs(directory)
            self._start_line = _drop_lines_after(self._path, start_step)
            self._writer = tf.summary.create_file_writer(directory)
        self._is_terminal = is_chief and sys.stderr.isatty()
        self._bar = tqdm.tqdm(
            initial=start_step,
            total=num_steps,
            unit="step",
            disable=not self._is_terminal,
            dynamic_ncols=True,
        )

    def describe(self, settings):
        """Records {flag: value} as TensorBoard's hyperparameters and text."""
        if not self._is_chief:
            return
        from tensorboard.plugins.hparams import api

        rows = [f"| {name} | {value} |" for name, value in settings.items()]
        table = "\n".join(["| flag | value |", "| --- | --- |", *rows])
        known = {k: v for k, v in settings.items() if v is not None}
        with self._writer.as_default(step=self._step):
            tf.summary.text("flags", table)
            api.hparams(known)

    def has(self, step):
        """Returns whether a run before this one wrote of the step it ended at.

        A process that is no chief does not know.
        """
        return self._start_line == step

    def advance(self, step):
        """Notes that `step` is done."""
        self._step = step
        self._pace = self._pace or (step, time.monotonic())
        self._bar.update(step - self._bar.n)

    def write(self, step, metrics):
        """Records {name: number} of the steps up to `step`."""
        if not self._is_chief:
            return
        if self._is_terminal:
            shown = {k: metrics[k] for k in _ON_BAR if k in metrics}
            self._bar.set_postfix(shown, refresh=False)
        if not self._is_terminal or len(metrics) > len(_train_only(metrics)):
            numbers = "  ".join(f"{k} {v:.4g}" for k, v in metrics.items())
            self.log(f"step {step}  {numbers}{self._time_left()}")
        self._unwritten += json.dumps({"step": step, **metrics}) + "\n"
        with _named(self._path):
            with tf.io.gfile.GFile(self._path, "a") as file:
                file.write(self._unwritten)
            self._unwritten = ""
        with _named("TensorBoard's file"):
            with self._writer.as_default(step=step):
                for name, value in metrics.items():
                    tf.summary.scalar(name, value)
            self._writer.flush()

    def saved(self, prefix, *, is_last):
        """Notes a checkpoint, and draws the curves up to it."""
        self.log(f"saved {prefix}")
        now = time.monotonic()
        if not self._is_chief or not (
            is_last or now - self._drawn > _SECS_BETWEEN_PICTURES
        ):
            return
        self._drawn = now
        path = os.path.join(self._directory, CURVES_FILE)
        with _named(path):
            curves.write([row for row, _ in _read(self._path)], path)

    def log(self, line):
        """Logs one line, without tearing the progress bar."""
        if not self._is_chief:
            return
        with _bar_aside(self._bar):
            logging.info("%s", line)

    def _time_left(self):
        first, started = self._pace or (self._step, 0)
        if self._step == first or self._step >= self._num_steps:
            return ""
        seconds = (time.monotonic() - started) / (self._step - first)
        left = seconds * (self._num_steps - self._step)
        return f"  {format_duration(left)} left"

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._bar.close()
        if self._is_chief:
            with _named("TensorBoard's file"):
                self._writer.close()


def format_duration(seconds):
    """Returns seconds in the two largest units that are not 0."""
    left = round(seconds)
    parts = []
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count} {unit}")
        elif parts:
            break
    return " ".join(parts[:2])


def _train_only(metrics):
    return [name for name in metrics if not name.startswith("eval_")]


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


def _drop_lines_after(path, step):
    """Returns the step of the last line that stays."""
    if not tf.io.gfile.exists(path):
        return None
    with tf.io.gfile.GFile(path) as file:
        num_lines = len(file.read().splitlines())
    kept = [(row, line) for row, line in _read(path) if row["step"] <= step]
    if len(kept) < num_lines:
        text_files.write_lines(path, [line for _, line in kept])
    return kept[-1][0]["step"] if kept else None


def _read(path):
    """Returns the numbers and the text of every whole line."""
    with tf.io.gfile.GFile(path) as file:
        lines = [(_parse(line), line) for line in file.read().splitlines()]
    return [(row, line) for row, line in lines if row]


def _parse(line):
    """Returns a line's numbers; None for one that a kill cut short."""
    try:
        return json.loads(line)
    except json.JSONDecodeError:
        return None


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
