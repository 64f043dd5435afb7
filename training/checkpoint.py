"""Checkpoints: tensors by name, in TensorFlow's own files.

A checkpoint holds every variable under its path, every optimizer slot under
<path>/adam_m and <path>/adam_v, and the step as global_step: the names of
google-research/bert, whatever the Python objects look like. model.ckpt-N has
two files, and is whole once its .index is there.
"""

import os
import re
import time

import tensorflow as tf
from absl import logging

from training import text_files

GLOBAL_STEP = "global_step"

_PREFIX = "model.ckpt"
_DATA_SUFFIX = ".data-00000-of-00001"
_INDEX_SUFFIX = ".index"
_UNFINISHED = ".unfinished"
_REMOVALS = 10
# How long to wait, each time, for room on the disk or for the network.
_WAITS_SECS = (1, 5, 15, 30, 60)
# Tensors of an optimizer, its mark and its loss scale.
_STATE = re.compile(r".+/(adam|adafactor)_\w+|optimizer/\w+|loss_scale\w*")

# What TensorFlow's errors say of themselves.
_OF_NODES = re.compile(r"\{\{.*?\}\} *| *\[Op:\w+\]")
# A file that ends too early comes as an IndexError.
_DAMAGED = (tf.errors.OpError, IndexError)


class Checkpoints:
    """The checkpoints of one run.

    Args:
        directory: where they are; made when missing.
        variables: {name: variable} of all that is saved, GLOBAL_STEP included.
        keep_max: how many of the newest to keep; 0 keeps all.
        is_chief: whether this process writes.
    """

    def __init__(self, directory, variables, *, keep_max, is_chief=True):
        assert GLOBAL_STEP in variables
        self.directory = directory
        self.keep_max = keep_max
        self.is_chief = is_chief
        self.variables = variables

    def restore_newest(self):
        """Restores the newest whole checkpoint.

        One that cannot be read is named in a warning and the one before is
        taken.

        Returns:
            Its prefix, or None when there is none.

        Raises:
            ValueError: not one can be read, or it is of another model.
        """
        steps = saved_steps(self.directory)
        for step in reversed(steps):
            prefix = self.prefix(step)
            try:
                values = _read(prefix, self.variables)
            except _DAMAGED as error:
                logging.warning(
                    "%s is damaged, trying the one before: %s", prefix, error
                )
                continue
            for name, variable in self.variables.items():
                variable.assign(values[name])
            return prefix
        if steps:
            raise ValueError(
                f"not one checkpoint in --output_dir={self.directory} can be "
                "read; move them away to start anew"
            )
        return None

    def save(self, step):
        """Writes model.ckpt-<step> whole or not at all, drops the oldest.

        Raises:
            OSError: it could not be written, after several tries; a
                ConnectionError where the directory is remote.
        """
        if not self.is_chief:
            return
        for wait_secs in (*_WAITS_SECS, None):
            try:
                self._save(step)
                return
            except (tf.errors.OpError, OSError) as error:
                reason = _OF_NODES.sub("", str(error))
            if wait_secs is not None:
                logging.warning(
                    "%s could not be saved, trying again in %s s: %s",
                    self.prefix(step),
                    wait_secs,
                    reason,
                )
                time.sleep(wait_secs)
        is_remote = "://" in self.directory
        raise (ConnectionError if is_remote else OSError)(
            f"{self.prefix(step)} could not be saved in {len(_WAITS_SECS) + 1} "
            f"tries over {sum(_WAITS_SECS)} s: {reason}. The newest checkpoint "
            f"is {self._newest_if_known()}; make room, or wait until it can be "
            "reached, and give the same command"
        )

    def _newest_if_known(self):
        try:
            _remove_folder(os.path.join(self.directory, _UNFINISHED))
            return self.newest() or "none"
        except (tf.errors.OpError, OSError):
            return "not known"

    def _save(self, step):
        unfinished = os.path.join(self.directory, _UNFINISHED)
        _remove_folder(unfinished)
        tf.io.gfile.makedirs(unfinished)
        temporary = os.path.join(unfinished, f"{_PREFIX}-{step}")
        write(
            temporary,
            {name: value.numpy() for name, value in self.variables.items()},
        )
        # The index last: a checkpoint without one does not exist.
        for suffix in (_DATA_SUFFIX, _INDEX_SUFFIX):
            tf.io.gfile.rename(
                temporary + suffix, self.prefix(step) + suffix, overwrite=True
            )
        _remove_folder(unfinished)
        self._drop_oldest()

    def newest(self):
        """Returns the prefix of the newest checkpoint, or None."""
        steps = saved_steps(self.directory)
        return self.prefix(steps[-1]) if steps else None

    def prefix(self, step):
        return os.path.join(self.directory, f"{_PREFIX}-{step}")

    def _drop_oldest(self):
        steps = saved_steps(self.directory)
        dropped = steps[: -self.keep_max] if self.keep_max else []
        kept = [self.prefix(step) for step in steps[len(dropped) :]]
        self._write_state(kept)
        for step in dropped:
            for suffix in (_INDEX_SUFFIX, _DATA_SUFFIX):
                tf.io.gfile.remove(self.prefix(step) + suffix)

    def _write_state(self, kept):
        """Writes the file by which TensorFlow's tools find checkpoints."""
        names = [os.path.basename(prefix) for prefix in kept]
        lines = [f'model_checkpoint_path: "{names[-1]}"']
        lines += [f'all_model_checkpoint_paths: "{name}"' for name in names]
        path = os.path.join(self.directory, "checkpoint")
        text_files.write_lines(path, lines)


def by_path(variables):
    """Returns {path: variable} of Keras variables."""
    return {variable.path: variable for variable in variables}


def saved_steps(directory):
    """Returns the steps of the whole checkpoints in `directory`, ascending."""
    if not tf.io.gfile.isdir(directory):
        return []
    pattern = re.compile(
        re.escape(_PREFIX) + r"-(\d+)" + re.escape(_INDEX_SUFFIX)
    )
    matches = map(pattern.fullmatch, tf.io.gfile.listdir(directory))
    # TensorFlow lists a name twice where a remote list was begun again.
    return sorted({int(match[1]) for match in matches if match})


def _remove_folder(path):
    for left in reversed(range(_REMOVALS)):
        if not tf.io.gfile.isdir(path):
            return
        try:
            tf.io.gfile.rmtree(path)
        except (tf.errors.NotFoundError, tf.errors.PermissionDeniedError):
            # What TensorFlow says, too, of a service that is busy just now.
            if not left:
                raise


def write(prefix, values):
    """Writes {name: array} as the checkpoint files of `prefix`."""
    tf.raw_ops.SaveV2(
        prefix=prefix,
        tensor_names=list(values),
        shape_and_slices=[""] * len(values),
        tensors=[tf.convert_to_tensor(value) for value in values.values()],
    )


def initialize(variables, values, source):
    """Takes first values for `variables` from somebody's weights, by name.

    Args:
        variables: {name: variable}.
        values: {name: array} of the weights.
        source: where they are from, for the log and for errors.

    Returns:
        A table for the log: what was loaded, newly initialised, unused.

    Raises:
        ValueError: not one name in common, or a tensor of another shape.
    """
    loaded = [name for name in variables if name in values]
    if not loaded:
        raise ValueError(
            f"--init_checkpoint: {source} has none of this model's variables; "
            f"it has {sorted(values)[:3]} ..."
        )
    shapes = {name: list(values[name].shape) for name in loaded}
    _check_shapes(source, {name: variables[name] for name in loaded}, shapes)
    for name in loaded:
        variables[name].assign(values[name])
    return _table(
        source,
        {
            "loaded": loaded,
            "newly initialised": [n for n in variables if n not in values],
            "unused": [n for n in values if n not in variables],
        },
    )


def _read(prefix, variables):
    """Reads every tensor before any is assigned: all of them or an error."""
    reader = tf.train.load_checkpoint(prefix)
    shapes = reader.get_variable_to_shape_map()
    _check_shapes(prefix, variables, shapes)
    return {name: reader.get_tensor(name) for name in variables}


def _check_shapes(source, variables, shapes):
    for name, variable in variables.items():
        if name not in shapes:
            raise ValueError(f"{source} lacks {name}: it is of another model")
        if tuple(variable.shape) != tuple(shapes[name]):
            raise ValueError(
                f"{source}: {name} has shape {shapes[name]}, the model of "
                f"--bert_config_file wants {list(variable.shape)}"
            )


def is_state(name):
    """Whether a tensor is no weight: the step, or of an optimizer."""
    return name == GLOBAL_STEP or bool(_STATE.fullmatch(name))


def _table(prefix, names_by_fate):
    lines = [f"initialised from {prefix}"]
    for fate, names in names_by_fate.items():
        examples = ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")
        lines.append(f"  {fate:<18}{len(names):>5}  {examples}".rstrip())
    return "\n".join(lines)
