"""Presets of KerasHub: backbones, masked language models and classifiers.

KerasHub itself writes and reads them; here is the way to and from its weights.
It computes BERT's encoder with the tanh formula of google-research/bert, but
the head of BertMaskedLM with the exact GELU and an epsilon of 1e-5.
"""

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from absl import logging

from interop import bert_config, tf1, variables
from interop.families.family import Family
from interop.variables import PortableModel
from modeling import families
from modeling.config import BertConfig
from storage import file_io, json_files
from text import vocab

# Their attention has [W, H, D] where ours has [W, H*D].
_ENDINGS = {
    "embedding": (("/embeddings", False),),
    "dense": (("/kernel", False), ("/bias", False)),
    "norm": (("/beta", False), ("/gamma", False)),
    "bias": (("/output_bias", False),),
    "logits": (("/kernel", True), ("/bias", False)),
}
# Of each JSON file of a preset.
_FILE = {"class_name?": (str, None), "config?": (dict, None)}
_VOCABULARY = "assets/tokenizer/vocabulary.txt"


def is_here(directory: str) -> bool:
    """Whether a directory holds a preset of a family that we have."""
    return _class_name(directory, "config.json") in _configs()


def _configs() -> dict[str, type[BertConfig]]:
    """Returns {name of a backbone's class: the class of our config}."""
    return {
        names["encoder"]: family.config
        for name, family in families.FAMILIES.items()
        if (names := variables.FAMILIES[name].keras_hub.names)
    }


def read(directory: str) -> PortableModel:
    """Reads a preset, of a task or of a backbone.

    A bert_config.json beside it, which `export` writes, says what KerasHub's
    own config does not.

    Args:
        directory: a local one.

    Returns:
        The model.

    Raises:
        ValueError: a file is damaged, or it is a task we do not know.
    """
    config_class = _configs()[str(_class_name(directory, "config.json"))]
    family = variables.FAMILIES[config_class.model_type]
    _, classes = _classes(family)
    head = _head_of(directory, family)
    options = {} if head == "encoder" else {"preprocessor": None}
    try:
        model = classes[head][0].from_preset(directory, **options)
    # Whatever KerasHub trips over in files that are not its own.
    except Exception as error:
        raise ValueError(
            f"{directory} cannot be loaded: {type(error).__name__}: {error}"
        ) from None
    vocab_file = os.path.join(directory, _VOCABULARY)
    config = _config_of(directory, config_class)
    found = PortableModel(
        config=config,
        head=head,
        values=_values_of(model, config, head, directory),
        vocabulary=(
            file_io.read_bytes(vocab_file)
            if os.path.exists(vocab_file)
            else None
        ),
        do_lower_case=_read_case(directory),
    )
    variables.check_model(found, directory)
    return found


def export(directory: str, model: PortableModel) -> None:
    """Writes a preset.

    Args:
        directory: a local one, made when missing.
        model: with its pooler, and a head that KerasHub has.

    Raises:
        ValueError: KerasHub has no such head or activation.
    """
    _check_exportable(directory, model)
    tokenizer_class, classes = _classes(model.family)
    tokenizer = None
    if model.vocabulary and tokenizer_class is None:
        logging.warning(
            "%s: KerasHub's %s takes no vocab.txt, which is left out",
            directory,
            model.family.title,
        )
    elif model.vocabulary:
        tokenizer = tokenizer_class(
            vocabulary=list(vocab.parse(model.vocabulary, _VOCABULARY).rows),
            lowercase=model.do_lower_case,
            strip_accents=model.do_lower_case,
        )
    config = model.config
    settings = model.family.keras_hub.settings
    backbone = classes["encoder"][0](
        **{theirs: getattr(config, ours) for ours, theirs in settings}
    )
    task = _with_head(backbone, tokenizer, model, *classes[model.head])
    rows = _rows(config, model.head)
    weights = {weight.path: weight for weight in task.weights}
    for name, value in model.values.items():
        theirs, is_transposed = rows[name]
        weight = weights.pop(theirs)
        value = value.T if is_transposed else value
        weight.assign(value.reshape(weight.shape))
    assert not weights, f"not filled: {sorted(weights)}"
    file_io.make_directory(directory)
    task.save_to_preset(directory)
    if tokenizer and model.head == "encoder":
        tokenizer.save_to_preset(directory)
    file_io.write_whole(
        os.path.join(directory, tf1.CONFIG), config.to_json().encode() + b"\n"
    )


def _check_exportable(directory: str, model: PortableModel) -> None:
    family = model.family
    theirs = family.keras_hub
    unfit = theirs.unfit(model.config)
    if unfit:
        raise ValueError(f"KerasHub has no {family.title} {unfit}")
    if not theirs.names:
        raise ValueError(f"KerasHub has no {family.title}")
    if model.head not in theirs.names:
        raise ValueError(
            f"KerasHub has no {family.title} with the head {model.head}; "
            f"--head may be one of {', '.join(theirs.names)} that the model has"
        )
    if model.config.hidden_act not in theirs.activations:
        raise ValueError(
            f"KerasHub's {family.title} has hidden_act "
            f"{theirs.activations[0]} only, this model "
            f"{model.config.hidden_act}"
        )
    # Its backbone always has a pooler.
    variables.check(
        variables.shapes(model.values),
        variables.wanted(
            model.config, model.head, variables.num_labels(model.values)
        ),
        directory,
    )


def _with_head(
    backbone: Any,
    tokenizer: Any,
    model: PortableModel,
    task_class: Any,
    preprocessor_class: Any,
) -> Any:
    """Returns KerasHub's model, with the backbone in it."""
    if model.head == "encoder":
        return backbone
    preprocessor = tokenizer and preprocessor_class(
        tokenizer=tokenizer,
        sequence_length=model.config.num_positions,
    )
    options = {"backbone": backbone, "preprocessor": preprocessor}
    if model.head == "sequence_classification":
        options["num_classes"] = variables.num_labels(model.values)
        options["dropout"] = model.config.hidden_dropout_prob
    return task_class(**options)


def _classes(family: Family) -> tuple[Any, Mapping[str, tuple[Any, Any]]]:
    try:
        return family.keras_hub.classes()
    except ImportError:
        raise ValueError(
            "presets need KerasHub: pip install keras-hub"
        ) from None


def _rows(config: BertConfig, head: str) -> dict[str, tuple[str, bool]]:
    """Returns {our name: (their name, whether it is transposed there)}."""
    return variables.family_of(config).translations(
        config, head, lambda row: row.keras_hub, _ENDINGS
    )


def _class_name(directory: str, file: str) -> str | None:
    return _read_json(directory, file).get("class_name")


def _read_json(directory: str, file: str) -> dict[str, Any]:
    path = os.path.join(directory, file)
    return json_files.read(path, _FILE) if os.path.exists(path) else {}


def _head_of(directory: str, family: Family = variables.DEFAULT) -> str:
    names = family.keras_hub.names
    task = _class_name(directory, "task.json")
    heads = {None: "encoder"} | {name: head for head, name in names.items()}
    if task not in heads:
        raise ValueError(
            f"{directory}: the task {task} is none of {', '.join(names)}"
        )
    return heads[task]


def _read_case(directory: str) -> bool:
    settings = _read_json(directory, "tokenizer.json").get("config") or {}
    return settings.get("lowercase", True)


def _config_of(directory: str, config_class: type[BertConfig]) -> BertConfig:
    path = os.path.join(directory, tf1.CONFIG)
    if os.path.exists(path):
        return bert_config.read(path)
    settings = _read_json(directory, "config.json")["config"]
    names = variables.FAMILIES[config_class.model_type].keras_hub.settings
    return config_class(
        **{ours: settings[theirs] for ours, theirs in names},
        attention_probs_dropout_prob=settings["dropout"],
    )


def _values_of(
    model: Any, config: BertConfig, head: str, directory: str
) -> dict[str, np.ndarray]:
    """Returns {our name: array} in our shapes, of KerasHub's model."""
    backbone = model if head == "encoder" else model.backbone
    num_labels = 2
    if head == "sequence_classification":
        num_labels = model.num_classes
    wanted = variables.wanted(config, head, num_labels)
    # The bert_config.json beside a preset may say another number of layers.
    num_layers = backbone.num_layers
    deep = dataclasses.replace(config, num_hidden_layers=num_layers)
    rows = _rows(deep, head)
    ours_of = {
        theirs: (ours, is_transposed)
        for ours, (theirs, is_transposed) in rows.items()
    }
    values = {}
    for weight in model.weights:
        if weight.path not in ours_of:
            raise ValueError(
                f"{directory}: {weight.path} {list(weight.shape)} has no place "
                "in this model"
            )
        ours, is_transposed = ours_of[weight.path]
        value = weight.numpy().T if is_transposed else weight.numpy()
        if ours in wanted and value.size == np.prod(wanted[ours]):
            value = value.reshape(wanted[ours])
        values[ours] = np.ascontiguousarray(value)
    return values
