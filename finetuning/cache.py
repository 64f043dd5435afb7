"""Rows kept as TFRecords, in the schema of google-research/bert.

Each row is a tf.train.Example with an int64 list (a float list for float32) a
feature. A .json beside the file, written last, says what the rows were made
from; rows made from anything else are made again.
"""

import hashlib
import json
import math
import os

import numpy as np
import tensorflow as tf
from absl import logging

from text import corpus
from training import text_files

_VERSION = 1
_BLOCK_BYTES = 1 << 22
_ROWS_AT_ONCE = 4096


def digest(path):
    """Returns the SHA-256 of a local or remote file."""
    found = hashlib.sha256()
    with corpus.open_binary(path) as file:
        while block := file.read(_BLOCK_BYTES):
            found.update(block)
    return found.hexdigest()


def rows(path, description, make, *, is_writer=True):
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
    found = _stated(path)
    if found and found["made_from"] == description:
        try:
            read = _read(path, found["features"], found["num_rows"])
            logging.info("%s: %s rows, as before", path, found["num_rows"])
            return read
        except (tf.errors.OpError, ValueError) as error:
            logging.warning("%s cannot be read, made again: %s", path, error)
    made = make()
    if is_writer:
        _write(path, description, made)
    return made


def _stated(path):
    if not (corpus.exists(path) and corpus.exists(path + ".json")):
        return None
    try:
        with corpus.open_binary(path + ".json") as file:
            return json.loads(file.read())
    except ValueError:
        return None


def _write(path, description, made):
    # A file and a description of another one must never stand side by side.
    if corpus.exists(path + ".json"):
        tf.io.gfile.remove(path + ".json")
    with tf.io.TFRecordWriter(path + ".tmp") as writer:
        num_rows = len(next(iter(made.values())))
        for row in range(num_rows):
            features = {
                name: _feature(values[row]) for name, values in made.items()
            }
            example = tf.train.Example(
                features=tf.train.Features(feature=features)
            )
            writer.write(example.SerializeToString(deterministic=True))
    tf.io.gfile.rename(path + ".tmp", path, overwrite=True)
    stated = {
        "num_rows": num_rows,
        "features": {
            name: [values.dtype.name, list(values.shape[1:])]
            for name, values in made.items()
        },
        "made_from": description,
    }
    text_files.write_json(path + ".json", stated)
    logging.info("%s: wrote %s rows", path, num_rows)


def _feature(value):
    numbers = np.ravel(value).tolist()
    if value.dtype == np.float32:
        return tf.train.Feature(float_list=tf.train.FloatList(value=numbers))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=numbers))


def _read(path, features, num_rows):
    specs = {
        name: tf.io.FixedLenFeature(
            [math.prod(shape)], tf.float32 if kind == "float32" else tf.int64
        )
        for name, (kind, shape) in features.items()
    }
    blocks = [
        {name: value.numpy() for name, value in block.items()}
        for block in tf.data.TFRecordDataset(path)
        .batch(_ROWS_AT_ONCE)
        .map(lambda serialized: tf.io.parse_example(serialized, specs))
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


def path_of(output_dir, split_name):
    """Returns google-research/bert's name for the rows of a split."""
    return os.path.join(output_dir, f"{split_name}.tf_record")
