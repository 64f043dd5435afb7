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

from interop import keras_hub_config, keras_hub_tokenizer, tf1, variables
from interop.families.family import Family
from interop.variables import PortableModel
from modeling import families
from modeling.config import BertConfig
from storage import file_io

# Their attention has [W, H, D] where ours has [W, H*D].
_ENDINGS = {
    "embedding": (("/embeddings", False),),
    "dense": (("/kernel", False), ("/bias", False)),
    "norm": (("/beta", False), ("/gamma", False)),
    "bias": (("/output_bias", False),),
    "logits": (("/kernel", True), ("/bias", False)),
}


def is_here(directory: str) -> bool:
    """Whether a directory holds a preset of a family that we have."""
    return keras_hub_config.class_name(directory, "config.json") in _configs()


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
    class_name = keras_hub_config.class_name(directory, "config.json")
    config_class = _configs()[str(class_name)]
    family = variables.FAMILIES[config_class.model_type]
    _, classes = _classes(family)
    head = keras_hub_config.head_of(directory, family)
    options = {} if head == "encoder" else {"preprocessor": None}
    try:
        model = classes[head][0].from_preset(directory, **options)
    # Whatever KerasHub trips over in files that are not its own.
    except Exception as error:
        raise ValueError(
            f"{directory} cannot be loaded: {type(error).__name__}: {error}"
        ) from None
    config = keras_hub_config.config_of(directory, config_class)
    found = PortableModel(
        config=config,
        head=head,
        values=_values_of(model, config, head, directory),
        tokenizer=keras_hub_tokenizer.read(directory),
        do_lower_case=keras_hub_config.read_case(directory),
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
    tokenizer = keras_hub_tokenizer.make(tokenizer_class, directory, model)
    config = model.config
    backbone = classes["encoder"][0](**_settings(config))
    task = _with_head(backbone, tokenizer, model, *classes[model.head])
    rows = _rows(config, model.head)
    weights = {weight.path: weight for weight in task.weights}
    for name, value in model.values.items():
        if name in _left_out(model.family, model.head) or name not in rows:
            continue
        theirs, is_transposed = rows[name]
        weight = weights.pop(theirs)
        value = variables.read_rows(config, name, value)
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
    if model.config.is_decoder:
        raise ValueError(
            f"KerasHub has no {family.title} that sees to the left alone, as "
            "is_decoder says"
        )
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
    # Where its model has a pooler it always has one.
    variables.check(
        variables.shapes(model.values),
        variables.wanted(
            model.config, model.head, variables.num_labels(model.values)
        ),
        directory,
        _left_out(family, model.head),
    )
    rows = _rows(model.config, model.head)
    lost = [n for n, x in model.values.items() if n not in rows and x.any()]
    if lost:
        raise ValueError(
            f"KerasHub's {family.title} has no {', '.join(lost)}, which "
            "are not zero here"
        )


def _left_out(family: Family, head: str) -> tuple[str, ...]:
    """Returns our names of the pooler where their model has none."""
    has_none = head in family.keras_hub.without_pooler
    return family.pooler_names if has_none else ()


def _settings(config: BertConfig) -> dict[str, Any]:
    """Returns the arguments of a backbone; its positions begin at row 0."""
    pairs = variables.family_of(config).keras_hub.settings
    found = {theirs: getattr(config, ours) for ours, theirs in pairs}
    return found | {"max_sequence_length": config.num_positions}


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


def _values_of(
    model: Any, config: BertConfig, head: str, directory: str
) -> dict[str, np.ndarray]:
    """Returns {our name: array} in our shapes, of KerasHub's model."""
    backbone = model if head == "encoder" else model.backbone
    is_classifier = head == "sequence_classification"
    num_labels = model.num_classes if is_classifier else 2
    wanted = variables.wanted(config, head, num_labels)
    # The bert_config.json beside a preset may say another number of layers.
    deep = dataclasses.replace(config, num_hidden_layers=backbone.num_layers)
    rows = _rows(deep, head)
    ours_of = {
        theirs: (ours, is_transposed)
        for ours, (theirs, is_transposed) in rows.items()
    }
    # What they have no place for is zero, or was not written.
    of_deep = variables.wanted(deep, head, num_labels)
    values = {
        name: np.zeros(shape, np.float32)
        for name, shape in of_deep.items()
        if name not in rows
    }
    for weight in model.weights:
        if weight.path not in ours_of:
            raise ValueError(
                f"{directory}: {weight.path} {list(weight.shape)} has no place "
                "in this model"
            )
        ours, is_transposed = ours_of[weight.path]
        value = weight.numpy().T if is_transposed else weight.numpy()
        if ours == variables.family_of(config).positions:
            # The rows before the first position are nobody's.
            value = np.pad(value, ((config.first_position, 0), (0, 0)))
        if ours in wanted and value.size == np.prod(wanted[ours]):
            value = value.reshape(wanted[ours])
        values[ours] = np.ascontiguousarray(value)
    return values
