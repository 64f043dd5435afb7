"""The file that gives a BERT's shape: Google's bert_config.json, or the
config.json of Hugging Face's transformers.

Both say "gelu" and mean different functions; which one, the file tells by its
name or by the keys that transformers alone writes.
"""

import dataclasses
import os
from typing import Any

from absl import logging

from interop import variables
from modeling import config as model_config
from modeling import families
from modeling.config import BertConfig
from storage import file_io, json_files

HUGGING_FACE = "config.json"
_WRITTEN_BY_TRANSFORMERS = ("architectures", "transformers_version")
# What is of the file and of the library that wrote it, not of the model.
_OF_FILE = (
    "_name_or_path",
    "architectures",
    "dtype",
    "label2id",
    "torch_dtype",
    "transformers_version",
)


def read(path: str) -> BertConfig:
    """Reads a config of either kind.

    Returns:
        The config with our names of activations.

    Raises:
        ValueError: there is none, or it is no BERT's.
    """
    return of_file(read_as_it_is(path), path)


def read_as_it_is(path: str) -> BertConfig:
    """Reads a config and leaves its words as they stand in the file.

    Keys that nobody knows are named in a warning.
    """
    if not file_io.exists(path):
        raise ValueError(f"--bert_config_file: no file {path!r}")
    config = families.read_config(file_io.read_bytes(path), path)
    _check_labels(config, path)
    unknown = model_config.unknown_keys(config)
    if unknown:
        logging.warning(
            "%s: %s %s no key of a BERT's config and left aside",
            path,
            ", ".join(unknown),
            "is" if len(unknown) == 1 else "are",
        )
    return config


def _check_labels(config: BertConfig, path: str) -> None:
    named = config.extra.get("id2label") or None
    json_files.check(named, ({str: object}, None), path, "id2label")
    try:
        variables.labels(config)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def of_file(config: BertConfig, path: str) -> BertConfig:
    """Returns a config of a file with our words, and without those of a file.

    Args:
        config: from `read_as_it_is`.
        path: of the file.
    """
    if os.path.basename(path) != HUGGING_FACE and not any(
        key in config.extra for key in _WRITTEN_BY_TRANSFORMERS
    ):
        return config
    theirs = variables.family_of(config).hugging_face
    return dataclasses.replace(
        variables.with_extra(config, drop={*config.fixed(), *_OF_FILE}),
        hidden_act=theirs.our_activation(config.hidden_act),
    )


def offer(config: Any, vocab_size: int) -> str:
    """Offers to write a config for a vocabulary of another size.

    Args:
        config: has bert_config_file.
        vocab_size: how many rows the vocabulary has.
    """
    path = config.bert_config_file
    return (
        "For a new model of this shape write a config of its own: sed -E "
        f"'s/(\"vocab_size\": *)[0-9]+/\\1{vocab_size}/' {path} > "
        "my_config.json"
    )
