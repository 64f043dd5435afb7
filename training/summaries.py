"""What a run tells: log lines, a progress bar, metrics.jsonl, TensorBoard."""

import contextlib
import json
import os
import sys

import tensorflow as tf
import tqdm
from absl import logging

from training import text_files

METRICS_FILE = "metrics.jsonl"


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
        self._path = os.path.join(directory, METRICS_FILE)
        self._is_chief = is_chief
        if is_chief:
            tf.io.gfile.makedirs(directory)
            _drop_lines_after(self._path, start_step)
            self._writer = tf.summary.create_file_writer(directory)
        # None: tqdm shows nothing where stderr is no terminal.
        self._bar = tqdm.tqdm(
            initial=start_step,
            total=num_steps,
            unit="step",
            disable=None if is_chief else True,
            dynamic_ncols=True,
        )

    def write(self, step, metrics, *, note=""):
        """Records {name: number} of the steps up to `step`."""
        if not self._is_chief:
            return
        self._bar.update(step - self._bar.n)
        numbers = "  ".join(f"{k} {v:.4g}" for k, v in metrics.items())
        self.log(f"step {step}  {numbers}{note}")
        with tf.io.gfile.GFile(self._path, "a") as file:
            file.write(json.dumps({"step": step, **metrics}) + "\n")
        with self._writer.as_default(step=step):
            for name, value in metrics.items():
                tf.summary.scalar(name, value)
        self._writer.flush()

    def log(self, line):
        """Logs one line, without tearing the progress bar."""
        if not self._is_chief:
            return
        with _bar_aside(self._bar):
            logging.info("%s", line)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._bar.close()
        if self._is_chief:
            self._writer.close()


def _drop_lines_after(path, step):
    if not tf.io.gfile.exists(path):
        return
    with tf.io.gfile.GFile(path) as file:
        lines = file.read().splitlines()
    kept = [line for line in lines if _step_of(line) <= step]
    if len(kept) == len(lines):
        return
    text_files.write_lines(path, kept)


def _step_of(line):
    """Returns the step of a line; infinity for one that a kill cut short."""
    try:
        return json.loads(line)["step"]
    except json.JSONDecodeError:
        return float("inf")


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
