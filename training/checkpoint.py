"""Checkpoints: tensors by name, in TensorFlow's own files.

A checkpoint holds every variable under its path, every optimizer slot under
<path>/adam_m and <path>/adam_v, and the step as global_step: the names of
google-research/bert, whatever the Python objects look like. model.ckpt-N has
two files, and is whole once its .index is there.
"""

import os
import re
import time
from collections.abc import Iterable, Mapping

import keras
import tensorflow as tf
from absl import logging

from storage import file_io, tensors

GLOBAL_STEP = "global_step"

_PREFIX = "model.ckpt"
_NUMBERED = re.compile(re.escape(_PREFIX) + r"-(\d+)" + re.escape(".index"))
_UNFINISHED = ".unfinished"
# How long to wait, each time, for room on the disk or for the network.
_WAITS_SECS = (1, 5, 15, 30, 60)

write = tensors.write


class Checkpoints:
    """The checkpoints of one run.

    Args:
        directory: where they are; made when missing.
        variables: {name: variable} of all that is saved, GLOBAL_STEP included.
        keep_max: how many of the newest to keep; 0 keeps all.
        is_chief: whether this process writes.
    """

    def __init__(
        self,
        directory: str,
        variables: Mapping[str, keras.Variable],
        *,
        keep_max: int,
        is_chief: bool = True,
    ):
        assert GLOBAL_STEP in variables
        self.directory = directory
        self.keep_max = keep_max
        self.is_chief = is_chief
        self.variables = variables

    def restore_newest(self) -> str | None:
        """Restores the newest whole checkpoint.

        Returns:
            Its prefix, or None when there is none.

        Raises:
            ValueError: not one can be read, or it is of another model.
        """
        return restore_newest(self.directory, self.variables)

    def save(self, step: int) -> None:
        """Writes model.ckpt-<step> whole or not at all, drops the oldest.

        Raises:
            ValueError: a number is not finite: nothing is written.
            OSError: it could not be written, after several tries; a
                ConnectionError where the directory is remote.
        """
        if not self.is_chief:
            return
        values = {name: x.numpy() for name, x in self.variables.items()}
        bad = tensors.not_finite(values)
        if bad:
            raise ValueError(
                f"step {step} cannot be saved: "
                f"{tensors.describe_not_finite(bad)}; {self.describe_good()}"
            )
        for wait_secs in (*_WAITS_SECS, None):
            try:
                write(
                    self.prefix(step),
                    values,
                    os.path.join(self.directory, _UNFINISHED),
                )
                self._drop_oldest(step)
                return
            except (tf.errors.OpError, OSError) as error:
                reason = tensors.reason(error)
            if wait_secs is not None:
                logging.warning(
                    "%s could not be saved, trying again in %s s: %s",
                    self.prefix(step),
                    wait_secs,
                    reason,
                )
                time.sleep(wait_secs)
        is_remote = file_io.is_remote(self.directory)
        raise (ConnectionError if is_remote else OSError)(
            f"{self.prefix(step)} could not be saved in {len(_WAITS_SECS) + 1} "
            f"tries over {sum(_WAITS_SECS)} s: {reason}. "
            f"{self._describe_good_if_known()}; make room, or wait until it "
            "can be reached, and give the same command"
        )

    def _describe_good_if_known(self):
        try:
            file_io.remove_tree(os.path.join(self.directory, _UNFINISHED))
            return self.describe_good()
        except (tf.errors.OpError, OSError):
            return "Whether there is a good checkpoint is not known"

    def newest(self) -> str | None:
        """Returns the prefix of the newest checkpoint, or None."""
        steps = saved_steps(self.directory)
        return self.prefix(steps[-1]) if steps else None

    def describe_good(self) -> str:
        """Says which checkpoint is the newest that can be gone on from.

        All of it is read for that: one that is damaged, or whose numbers are
        not finite, is not named.
        """
        for step in reversed(saved_steps(self.directory)):
            try:
                values = tensors.read(self.prefix(step))
            except tensors.DamagedError:
                continue
            if not tensors.not_finite(values):
                return (
                    "the newest checkpoint that can be read and has finite "
                    f"numbers only is {self.prefix(step)}"
                )
        return f"there is no checkpoint to go on from in {self.directory}"

    def prefix(self, step: int) -> str:
        return _prefix(self.directory, step)

    def drop_others(self, step: int) -> None:
        """Removes all checkpoints but that of `step`."""
        if self.is_chief:
            self._drop([s for s in saved_steps(self.directory) if s != step])

    def _drop_oldest(self, newest):
        """Keeps the newest ones up to step `newest`, which was just saved.

        Later ones are not counted: the run went on from before them, as they
        could not be read, and comes to write over them.
        """
        steps = [s for s in saved_steps(self.directory) if s <= newest]
        dropped = steps[: -self.keep_max] if self.keep_max else []
        self._write_state([self.prefix(s) for s in steps[len(dropped) :]])
        self._drop(dropped)

    def _drop(self, steps):
        for step in steps:
            remove(self.directory, step)

    def _write_state(self, kept):
        """Writes the file by which TensorFlow's tools find checkpoints."""
        names = [os.path.basename(prefix) for prefix in kept]
        lines = [f'model_checkpoint_path: "{names[-1]}"']
        lines += [f'all_model_checkpoint_paths: "{name}"' for name in names]
        file_io.write_lines(os.path.join(self.directory, "checkpoint"), lines)


def restore_newest(
    directory: str, variables: Mapping[str, keras.Variable]
) -> str | None:
    """Restores variables from the newest whole checkpoint of a directory.

    One that cannot be read, or has numbers that are not finite, is named in a
    warning and the one before is taken.

    Args:
        directory: of the checkpoints.
        variables: {name: variable}.

    Returns:
        Its prefix, or None when there is none.

    Raises:
        ValueError: not one can be read, or it is of another model.
    """
    steps = saved_steps(directory)
    for step in reversed(steps):
        prefix = _prefix(directory, step)
        try:
            _check_shapes(prefix, variables, tensors.shapes(prefix))
            values = tensors.read(prefix, variables)
        except tensors.DamagedError as error:
            logging.warning("%s; trying the one before", error)
            continue
        bad = tensors.not_finite(values)
        if bad:
            logging.warning(
                "%s: %s; trying the one before",
                prefix,
                tensors.describe_not_finite(bad),
            )
            continue
        for name, variable in variables.items():
            variable.assign(values[name])
        return prefix
    if steps:
        raise ValueError(
            f"not one checkpoint in {directory} can be read; the warnings say "
            "why. Move them away to start anew"
        )
    return None


def step_of(prefix: str) -> int:
    """Returns the step that the name model.ckpt-N of a checkpoint says."""
    return int(prefix.rpartition("-")[2])


def by_path(variables: Iterable[keras.Variable]) -> dict[str, keras.Variable]:
    """Returns {path: variable} of Keras variables."""
    return {variable.path: variable for variable in variables}


def saved_steps(directory: str) -> list[int]:
    """Returns the steps of the whole checkpoints in `directory`, ascending."""
    matches = map(_NUMBERED.fullmatch, file_io.names_in(directory))
    return sorted({int(match[1]) for match in matches if match})


def remove(directory: str, step: int) -> None:
    """Removes the checkpoint of a step."""
    for suffix in (tensors.INDEX, tensors.DATA):
        file_io.remove(_prefix(directory, step) + suffix)


def _prefix(directory, step):
    return os.path.join(directory, f"{_PREFIX}-{step}")


def _check_shapes(source, variables, shapes):
    missing = [name for name in variables if name not in shapes]
    if missing and all(tensors.is_state(name, variables) for name in missing):
        raise ValueError(
            f"{source} has the weights of this model and no {missing[0]}: it "
            "is no checkpoint of a training to go on with. To start from its "
            "weights name it by --init_checkpoint, with another --output_dir"
        )
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise ValueError(
            f"{source} lacks {missing[0]}{more}: it is of another model"
        )
    for name, variable in variables.items():
        if tuple(variable.shape) != tuple(shapes[name]):
            raise ValueError(
                f"{source}: {name} has shape {list(shapes[name])}, the model "
                f"of --bert_config_file wants {list(variable.shape)}"
            )
