"""TensorFlow's checkpoint files: tensors by name, under a prefix.

A checkpoint `PREFIX` is the file PREFIX.index and files of data beside it; it
is whole once its index is there.
"""

import contextlib
import os
import re
import tempfile
from collections.abc import Container, Iterable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from storage import file_io

INDEX = ".index"
DATA = ".data-00000-of-00001"

_UNFINISHED = ".unfinished"
# What makes a pattern of a path where TensorFlow reads checkpoints.
_WILDCARDS = re.compile(r"[][*?\\]")
# What TensorFlow's errors say of themselves.
_OF_NODES = re.compile(r"\{\{.*?\}\} *| *\[Op:\w+\]")
# Numbers of a training that belong to no variable: the step, the optimizer's
# mark, the scale of the loss, and what other Adams keep.
_OF_TRAINING = re.compile(
    r"global_step|beta[12]_power|loss_scale\w*|optimizer/\w+|"
    r"share_done|seconds_done"
)
# A file that ends too early comes as an IndexError.
_ERRORS = (tf.errors.OpError, IndexError, RuntimeError)


class DamagedError(ValueError):
    """A checkpoint, or a tensor of it, cannot be read."""


def files_of(prefix: str) -> list[str]:
    """Returns the files of a checkpoint, sorted."""
    folder, name = os.path.split(prefix)
    return [
        os.path.join(folder, found)
        for found in file_io.names_in(folder or ".")
        if found == name + INDEX or found.startswith(name + ".data-")
    ]


def shapes(prefix: str) -> dict[str, list[int]]:
    """Returns {name: shape} of the tensors of a checkpoint.

    Raises:
        DamagedError: its index cannot be read.
    """
    with _opened(prefix) as reader:
        return reader.get_variable_to_shape_map()


def read(
    prefix: str, names: Iterable[str] | None = None
) -> dict[str, np.ndarray]:
    """Returns {name: array} of tensors of a checkpoint.

    Args:
        prefix: of its files.
        names: which tensors; all if None.

    Raises:
        DamagedError: one cannot be read; says which.
    """
    with _opened(prefix) as reader:
        if names is None:
            names = sorted(reader.get_variable_to_shape_map())
        values = {}
        for name in names:
            try:
                values[name] = reader.get_tensor(name)
            except _ERRORS as error:
                raise DamagedError(
                    f"{prefix} is damaged at {name}: {reason(error)}"
                ) from None
        return values


@contextlib.contextmanager
def _opened(prefix):
    with _without_wildcards(prefix) as path:
        try:
            reader = tf.train.load_checkpoint(path)
        except _ERRORS as error:
            for file in files_of(prefix):
                with file_io.open_binary(file) as source:
                    file_io.check_is_fetched(source.read(64), file)
            raise DamagedError(
                f"{prefix} is damaged: {reason(error)}"
            ) from None
        yield reader


def is_pattern(path: str) -> bool:
    """Whether TensorFlow would take a path for that of several files."""
    return bool(_WILDCARDS.search(path))


@contextlib.contextmanager
def _without_wildcards(prefix):
    """Yields a prefix of the same files that is no pattern.

    TensorFlow looks for the files of a prefix as for those of a pattern: in a
    folder named run[1] it would find none.
    """
    if not is_pattern(prefix):
        yield prefix
        return
    with tempfile.TemporaryDirectory() as folder:
        for path in files_of(prefix):
            ending = path.removeprefix(prefix)
            beside = os.path.join(folder, "checkpoint" + ending)
            if file_io.is_remote(path):
                file_io.copy(path, beside)
            else:
                os.symlink(os.path.abspath(path), beside)
        yield os.path.join(folder, "checkpoint")


def reason(error: Exception) -> str:
    """Returns what an error of TensorFlow's says, without its nodes."""
    text = getattr(error, "message", None) or str(error)
    return _OF_NODES.sub("", text).strip()


def write(
    prefix: str, values: Mapping[str, Any], unfinished: str | None = None
) -> None:
    """Writes {name: array} as a checkpoint, whole or not at all.

    Args:
        prefix: of its files; older ones are replaced.
        values: {name: array}.
        unfinished: a folder for what is not whole yet; it is removed before
            and after. One of the checkpoint's own if None.
    """
    folder = unfinished or prefix + _UNFINISHED
    file_io.remove_tree(folder)
    file_io.make_directory(folder)
    temporary = os.path.join(folder, os.path.basename(prefix))
    save(temporary, values)
    # The index last: a checkpoint without one does not exist.
    for suffix in (DATA, INDEX):
        file_io.sync(temporary + suffix)
        file_io.rename(temporary + suffix, prefix + suffix)
    file_io.remove_tree(folder)


def save(prefix: str, values: Mapping[str, Any]) -> None:
    """Lets TensorFlow write {name: array} under a prefix."""
    tf.raw_ops.SaveV2(
        prefix=prefix,
        tensor_names=list(values),
        shape_and_slices=[""] * len(values),
        tensors=[tf.convert_to_tensor(value) for value in values.values()],
    )


def is_state(name: str, names: Container[str]) -> bool:
    """Whether a tensor is no weight: the step, or of an optimizer.

    A slot, whatever the optimizer calls it, stands below its variable:
    bert/pooler/dense/kernel/adam_m.

    Args:
        name: of the tensor.
        names: of all tensors of the checkpoint.
    """
    return name.rpartition("/")[0] in names or bool(
        _OF_TRAINING.fullmatch(name)
    )


def not_finite(values: Mapping[str, Any]) -> dict[str, int]:
    """Returns {name: how many numbers are not finite}, where there are any.

    Args:
        values: {name: array}.
    """
    counts = {
        name: int(np.size(value) - np.isfinite(value).sum())
        for name, value in values.items()
        # NumPy itself takes bfloat16 for no kind of float.
        if tf.as_dtype(np.asarray(value).dtype).is_floating
    }
    return {name: count for name, count in counts.items() if count}


def describe_not_finite(counts: Mapping[str, int]) -> str:
    """Returns what `not_finite` found in a few words."""
    first = next(iter(counts))
    return (
        f"{sum(counts.values()):,} numbers of {len(counts)} tensors are not "
        f"finite, the first in {first}"
    )
