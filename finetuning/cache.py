"""Rows kept as TFRecords, in the schema of google-research/bert.

Each row is a tf.train.Example with an int64 list (a float list for float32) a
feature. A .json beside the file, written last, says what the rows were made
from; rows made from anything else are made again.
"""

import json
import math
import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

from finetuning.splits import SplitName
from finetuning.task import Rows
from storage import file_io, json_files

_VERSION = 1
_SHAPE = {"num_rows": int, "features": {str: [object]}, "made_from": dict}
_ROWS_AT_ONCE = 4096
# {type of a feature: the list of it in a row}
_LISTS = {"int32": "int64_list", "float32": "float_list"}


digest = file_io.sha256


def rows(
    path: str,
    description: Mapping[str, Any],
    make: Callable[[], Rows],
    *,
    is_writer: bool = True,
) -> Rows:
    """Returns the rows in a file, or those of `make` once they are in it.

    Args:
        path: of the TFRecord file.
        description: what the rows depend on, values for JSON.
        make: returns {name: array [N, ...]}, int32 or float32.
        is_writer: whether this process writes the file.
    """
    description = {"version": _VERSION, **description}
    # As it comes back from the file: tuples as lists, keys as strings.
    description = json.loads(json.dumps(description))
    kept = _describe(path)
    if kept and kept["made_from"] == description:
        try:
            read = _read(path, kept["features"], kept["num_rows"])
            logging.info("%s: %s rows, as before", path, kept["num_rows"])
            return read
        except (tf.errors.OpError, ValueError) as error:
            logging.warning("%s cannot be read, made again: %s", path, error)
    columns = make()
    if is_writer:
        _write(path, description, columns)
    return columns


def _describe(path):
    if not file_io.exists(path):
        return None
    return json_files.read_or_none(path + ".json", _SHAPE)


def _write(path, description, columns):
    # A file and a description of another one must never stand side by side.
    file_io.remove(path + ".json")
    temporary = path + ".tmp"
    file_io.clear(temporary)
    with tf.io.TFRecordWriter(temporary) as writer:
        num_rows = len(next(iter(columns.values())))
        for row in range(num_rows):
            features = {
                name: _feature(values[row]) for name, values in columns.items()
            }
            example = tf.train.Example(
                features=tf.train.Features(feature=features)
            )
            writer.write(example.SerializeToString(deterministic=True))
    file_io.sync(temporary)
    file_io.rename(temporary, path)
    described = {
        "num_rows": num_rows,
        "features": {
            name: [values.dtype.name, list(values.shape[1:])]
            for name, values in columns.items()
        },
        "made_from": description,
    }
    json_files.write(path + ".json", described)
    logging.info("%s: wrote %s rows", path, num_rows)


def _feature(value):
    numbers = np.ravel(value).tolist()
    if value.dtype == np.float32:
        return tf.train.Feature(float_list=tf.train.FloatList(value=numbers))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=numbers))


def _check(features, first):
    """Refuses features that are not those of the first row.

    TensorFlow ends the process where it reads rows of far too many numbers.
    """
    there = tf.train.Example.FromString(first).features.feature
    if features.keys() != set(there):
        raise ValueError(f"it has {sorted(there)}, not {sorted(features)}")
    for name, described in features.items():
        kind, shape = (*described, None, None)[:2]
        is_shape = isinstance(shape, list) and all(
            type(size) is int and size >= 0 for size in shape
        )
        if not (isinstance(kind, str) and kind in _LISTS and is_shape):
            raise ValueError(f"{name} is described as {described}")
        num_values = len(getattr(there[name], _LISTS[kind]).value)
        if num_values != math.prod(shape):
            raise ValueError(f"{name} has {num_values} values, not {shape}")


def _read(path, features, num_rows):
    records = tf.data.TFRecordDataset(path)
    for first in records.take(1).as_numpy_iterator():
        _check(features, first)
    specs = {
        name: tf.io.FixedLenFeature(
            [math.prod(shape)], tf.float32 if kind == "float32" else tf.int64
        )
        for name, (kind, shape) in features.items()
    }
    blocks = [
        {name: value.numpy() for name, value in block.items()}
        for block in records.batch(_ROWS_AT_ONCE).map(
            lambda serialized: tf.io.parse_example(serialized, specs)
        )
    ]
    found = sum(len(next(iter(block.values()))) for block in blocks)
    if found != num_rows:
        raise ValueError(f"it has {found} rows, not {num_rows}")
    return {
        name: np.concatenate([block[name] for block in blocks])
        .astype(kind)
        .reshape((num_rows, *shape))
        for name, (kind, shape) in features.items()
    }


def path_of(output_dir: str, split_name: SplitName) -> str:
    """Returns google-research/bert's name for the rows of a split."""
    return os.path.join(output_dir, f"{split_name}.tf_record")
