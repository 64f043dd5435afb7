"""The sha256 of a model's files, by which a conversion is known again."""

import os

import tensorflow as tf

from interop import tf1
from storage import file_io, tensors


def of(path: str, kind: str) -> dict[str, str]:
    """Returns {file: sha256} of a model's files.

    Args:
        path: of the model.
        kind: whose files they are: "tf1", "huggingface", "keras_hub" or
            "saved_model", which has folders.
    """
    root = path if file_io.is_directory(path) else os.path.dirname(path)
    return {
        os.path.relpath(file, root): file_io.sha256(file)
        for file in _files(path, root, kind)
    }


def _files(path: str, root: str, kind: str) -> list[str]:
    if kind == "tf1":
        return tensors.files_of(tf1.find(path))
    return sorted(
        os.path.join(folder, name)
        for folder, _, names in tf.io.gfile.walk(root)
        for name in names
        if kind == "saved_model" or folder.rstrip("/") == root.rstrip("/")
    )
