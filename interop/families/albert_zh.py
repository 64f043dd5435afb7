"""Checkpoints of brightmart/albert_zh that are not laid out as google's.

    word_embeddings [V, E], word_embeddings_2 [E, W]    words, by their product
    encoder/layer_shared/...                            a part of every layer
    encoder/layer_i/...                                 a part that is layer i's

What is added to the words, and normalised, is as wide as the layers, so that
no ALBERT has a place for it; a plain BERT with the product as its words
computes the same, and that is what is read.
"""

import json
from collections.abc import Collection, Mapping

import numpy as np

from interop.families.bert import BERT
from modeling.config import BertConfig
from storage import file_io, json_files

_FACTOR = f"{BERT.words}_2"
_SHARED = "bert/encoder/layer_shared/"
_NORMALISES_AFTER = "postln"


def is_here(names: Collection[str]) -> bool:
    """Whether a checkpoint with these names is one of them."""
    return _FACTOR in names


def read_config(path: str) -> BertConfig:
    """Reads the albert_config.json of such a model as that of a BERT.

    Raises:
        ValueError: it is no such config, or its layers are normalised before.
    """
    values = json_files.parse(file_io.read_bytes(path), path, object)
    if not isinstance(values, dict):
        raise ValueError(f"{path}: not a config of albert_zh: no object")
    order = values.pop("ln_type", _NORMALISES_AFTER)
    if order != _NORMALISES_AFTER:
        raise ValueError(
            f"{path}: ln_type is {json_files.shown(order)}; only layers that "
            f"are normalised afterwards, {_NORMALISES_AFTER}, can be read"
        )
    values.pop("embedding_size", None)
    return BertConfig.from_json(json.dumps(values), path)


def expanded(
    values: Mapping[str, np.ndarray], num_layers: int
) -> dict[str, np.ndarray]:
    """Returns the tensors of the BERT that computes the same.

    Args:
        values: of a checkpoint of which `is_here` holds.
        num_layers: of the model, which no tensor says.
    """
    found = {n: x for n, x in values.items() if not n.startswith(_SHARED)}
    words, factor = found[BERT.words], found.pop(_FACTOR)
    found[BERT.words] = words @ factor
    for name, value in values.items():
        if name.startswith(_SHARED):
            part = name.removeprefix(_SHARED)
            for number in range(num_layers):
                found[f"bert/encoder/layer_{number}/{part}"] = value
    return found
