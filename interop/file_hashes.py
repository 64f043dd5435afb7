"""The sha256 of a model's files, by which a conversion is known again."""

import hashlib
import os

import tensorflow as tf

from interop import tf1
from text import corpus

_BLOCK_BYTES = 1 << 22


def of(path, kind):
    """Returns {file: sha256} of a model's files.

    Args:
        path: of the model.
        kind: whose files they are: "tf1", "huggingface", "keras_hub" or
            "saved_model", which has folders.
    """
    root = path if tf.io.gfile.isdir(path) else os.path.dirname(path)
    found = {}
    for file in _files(path, root, kind):
        digest = hashlib.sha256()
        with corpus.open_binary(file) as source:
            while block := source.read(_BLOCK_BYTES):
                digest.update(block)
        found[os.path.relpath(file, root)] = digest.hexdigest()
    return found


def _files(path, root, kind):
    if kind == "tf1":
        return sorted(tf.io.gfile.glob(tf1.find(path) + ".*"))
    return sorted(
        os.path.join(folder, name)
        for folder, _, names in tf.io.gfile.walk(root)
        for name in names
        if kind == "saved_model" or folder.rstrip("/") == root.rstrip("/")
    )
