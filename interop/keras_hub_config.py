"""The JSON files of a preset of KerasHub."""

import os
from typing import Any

from interop import bert_config, tf1, variables
from interop.families.family import Family
from modeling.config import BertConfig
from storage import json_files

# Of each JSON file of a preset.
_FILE = {"class_name?": (str, None), "config?": (dict, None)}


def class_name(directory: str, file: str) -> str | None:
    """Returns the class that a file of a preset names, None without it."""
    return _read_json(directory, file).get("class_name")


def _read_json(directory: str, file: str) -> dict[str, Any]:
    path = os.path.join(directory, file)
    return json_files.read(path, _FILE) if os.path.exists(path) else {}


def head_of(directory: str, family: Family = variables.DEFAULT) -> str:
    """Returns the head that a preset was saved from.

    Raises:
        ValueError: it is of a task that we do not know.
    """
    names = family.keras_hub.names
    task = class_name(directory, "task.json")
    heads = {None: "encoder"} | {name: head for head, name in names.items()}
    if task not in heads:
        raise ValueError(
            f"{directory}: the task {task} is none of {', '.join(names)}"
        )
    return heads[task]


def read_case(directory: str) -> bool:
    """Returns whether a preset's tokenizer lower-cases."""
    settings = _read_json(directory, "tokenizer.json").get("config") or {}
    return settings.get("lowercase", True)


def config_of(directory: str, config_class: type[BertConfig]) -> BertConfig:
    """Returns the shape of a preset's model.

    A bert_config.json beside it says what KerasHub's own config does not.
    """
    path = os.path.join(directory, tf1.CONFIG)
    if os.path.exists(path):
        return bert_config.read(path)
    settings = _read_json(directory, "config.json")["config"]
    names = variables.FAMILIES[config_class.model_type].keras_hub.settings
    found = {ours: settings[theirs] for ours, theirs in names}
    found["max_position_embeddings"] += config_class.first_position
    return config_class(
        **found, attention_probs_dropout_prob=settings["dropout"]
    )
