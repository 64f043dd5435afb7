"""Whose files a path names, and the model in them."""

import dataclasses
import os
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from interop import (
    hugging_face,
    hugging_face_config,
    keras_hub,
    tf1,
    tokenizer_files,
    variables,
)
from interop.families import albert_zh
from interop.variables import PortableModel
from modeling.config import BertConfig
from storage import file_io


class Weights(NamedTuple):
    """What --init_checkpoint takes from a path."""

    source: str  # For the log: the file or the directory.
    values: Mapping[str, np.ndarray]  # By our names; no optimizer, no step.
    # None where no file says it: a checkpoint of TensorFlow stands alone.
    config: BertConfig | None


def recognise(path: str) -> str:
    """Returns "tf1", "huggingface" or "keras_hub".

    A directory with files of several is its checkpoint of TensorFlow's first.

    Args:
        path: a prefix, such as .../bert_model.ckpt, or a directory; also a
            file of weights in a directory of Hugging Face's.

    Raises:
        ValueError: it is nothing that can be read.
    """
    try:
        tf1.find(path)
        return "tf1"
    except ValueError as error:
        missing = error
    directory = _directory(path)
    if keras_hub.is_here(directory):
        return "keras_hub"
    if hugging_face.is_here(directory):
        return "huggingface"
    raise ValueError(
        f"{missing}; nor is it a directory of Hugging Face (config.json with "
        "model.safetensors or pytorch_model.bin) or a BERT preset of KerasHub"
    )


def _directory(path: str) -> str:
    is_file = path.endswith((".safetensors", ".bin"))
    is_directory = file_io.is_directory(path)
    return os.path.dirname(path) if is_file and not is_directory else path


def read(
    path: str,
    *,
    config_file: str | None = None,
    tokenizer: tokenizer_files.Files | None = None,
    head: str | None = None,
    do_lower_case: bool = True,
) -> PortableModel:
    """Reads the model at a path, whole, whatever its format.

    Args:
        path: as `recognise` takes it.
        config_file, do_lower_case: what a checkpoint of TensorFlow's does not
            say; the others say it themselves.
        tokenizer: its files, where those beside the model are not meant.
        head: one of `variables.HEADS`, where the files leave it open.

    Returns:
        The model.

    Raises:
        ValueError: something is missing, damaged or of another model.
    """
    readers = {
        "tf1": lambda: tf1.read(
            path,
            config_file=config_file,
            head=head,
            do_lower_case=do_lower_case,
        ),
        "huggingface": lambda: hugging_face.read(_directory(path), head=head),
        "keras_hub": lambda: keras_hub.read(path),
    }
    model = readers[recognise(path)]()
    files = tokenizer or model.tokenizer
    # Such models are cased.
    is_cased = tokenizer_files.kind(files) == "byte_pairs"
    return dataclasses.replace(
        model,
        tokenizer=files,
        do_lower_case=model.do_lower_case and not is_cased,
    )


def read_weights(
    path: str, config: BertConfig | None = None, *, with_second: bool = False
) -> Weights:
    """Reads the `Weights` to start a training from.

    Checkpoints of TensorFlow's and directories of Hugging Face's may have more
    or fewer tensors than a model; the caller says which it takes.

    Args:
        path: as `recognise` takes it.
        config: of the model that is to have them, whose names are looked for
            where no config is beside them; BERT's without it.
        with_second: whether a second encoder is read, too, of a family that
            has one: from the same checkpoint, or a folder named after it.

    Raises:
        ValueError: something is missing, damaged or of another model.
    """
    if with_second:
        assert config is not None
        weights = _read_weights(path, config, with_second)
        more = _of_second_folder(path, weights.values, config)
        return weights._replace(values={**weights.values, **more})
    return _read_weights(path, config, with_second)


def _of_second_folder(
    path: str, values: Mapping[str, np.ndarray], config: BertConfig
) -> dict[str, np.ndarray]:
    """Returns a second encoder and its head, of a model in a folder beside.

    The embeddings are those of the first one, and not taken from there.
    """
    family = variables.family_of(config)
    directory = path if file_io.is_directory(path) else os.path.dirname(path)
    found = {}
    for scope in family.second_encoders.values():
        folder = os.path.join(directory, scope.rstrip("/"))
        is_here = any(name.startswith(scope) for name in values)
        if is_here or not file_io.is_directory(folder):
            continue
        for name, value in _read_weights(folder, config).values.items():
            own = name.removeprefix(family.scope)
            if not own.startswith("embeddings/"):
                found[name if own == name else scope + own] = value
    return found


def _read_weights(
    path: str, config: BertConfig | None, with_second: bool = False
) -> Weights:
    try:
        kind = recognise(path)
    except ValueError as error:
        raise ValueError(f"--init_checkpoint={error}") from None
    if kind == "tf1":
        prefix = tf1.find(path)
        family = variables.family_of(config) if config else variables.DEFAULT
        values, _ = tf1.read_tensors(
            prefix, family, with_state=False, with_second=with_second
        )
        if config and albert_zh.is_here(values):
            values = albert_zh.expanded(values, config.num_hidden_layers)
        return Weights(prefix, values, None)
    if kind == "huggingface":
        directory = _directory(path)
        config, _ = hugging_face_config.read(directory)
        values = hugging_face.read_values(directory, config)
        return Weights(path, values, config)
    model = read(path)
    return Weights(path, model.values, model.config)
