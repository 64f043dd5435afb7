"""The shape and the weights that a program starts from: one door for all.

Whoever wrote a config decides what the "gelu" in it means; see `bert_config`.
An encoder of which a variable is missing would compute with random numbers, and
one of which layers are left over would be another model: both are refused,
unless it is asked for. Heads come and go: they are named in the table.
"""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from absl import logging

from interop import bert_config, formats, look, tf1, variables
from interop.config import ModelSettings
from interop.families.family import Family
from modeling import activations, families
from modeling.config import BertConfig
from storage import file_io, tensors

_NUM_NAMED = 3


def read_config(path: str, *, max_seq_length: int) -> BertConfig:
    """Reads --bert_config_file, of google-research or of transformers.

    Args:
        path: of the file.
        max_seq_length: of the rows that the model is to read.

    Raises:
        ValueError: it cannot be read, or the model has fewer positions.
    """
    config = bert_config.read(path)
    look.check_length(path, max_seq_length, config.num_positions)
    return config


def check_layers_are_apart(
    path: str, architecture: BertConfig, flags: Mapping[str, Any]
) -> None:
    """Refuses to treat layers otherwise than one another that are the same.

    Args:
        path: of --bert_config_file.
        architecture: what it says.
        flags: {name: value} of those that do so; false for one that does not.
    """
    asked = [f"--{name}={value}" for name, value in flags.items() if value]
    if asked and architecture.shares_layers:
        raise ValueError(
            f"{' '.join(asked)}: the layers of {path} share their weights, so "
            "that none of them can be treated otherwise than the rest"
        )


def initialize(
    settings: ModelSettings,
    model_variables: Mapping[str, Any],
    architecture: BertConfig,
) -> str:
    """Takes first values for variables from --init_checkpoint.

    A head of other shapes, as of another task, is left aside.

    Args:
        settings: name the model, in any form, see `formats.read_weights`.
        model_variables: {name: variable}; those of the encoder are below its
            family's scope, such as bert/.
        architecture: of the model that has them.

    Returns:
        A table for the log: what was loaded, newly initialised, unused.

    Raises:
        ValueError: it cannot be read, or is of another model.
    """
    path, config_file = settings.init_checkpoint, settings.bert_config_file
    assert path is not None
    family = variables.family_of(architecture)
    seconds = tuple(family.second_encoders.values())
    scopes: tuple[str, ...] = (family.scope,)
    if any(name.startswith(seconds) for name in model_variables):
        scopes += seconds
    weights = formats.read_weights(
        path, architecture, with_second=len(scopes) > 1
    )
    if weights.config:
        _compare_configs(path, weights.config, architecture, config_file)
    _check_sight(path, weights, architecture, config_file)
    values = {
        name: value
        for name, value in weights.values.items()
        if name.startswith(scopes)
        or name not in model_variables
        or tuple(model_variables[name].shape) == tuple(value.shape)
    }
    fates = _fates(model_variables, values)
    _check_encoder(
        *(weights.source, family, scopes, fates, values),
        settings.allow_partial_init,
    )
    _check_loaded(weights.source, model_variables, fates["loaded"], values)
    for name in fates["loaded"]:
        model_variables[name].assign(values[name])
    return _table(weights.source, fates)


def _check_sight(
    path: str, weights: formats.Weights, ours: BertConfig, config_file: str
) -> None:
    """Refuses to let tokens see where they did not, or the other way round."""
    theirs = weights.config or _config_beside(weights.source)
    if theirs and theirs.is_decoder != ours.is_decoder:
        raise ValueError(
            f"--init_checkpoint={path} has is_decoder={theirs.is_decoder}, "
            f"{config_file} {ours.is_decoder}: whether tokens see those to "
            "their right has to stay as it was"
        )


def _config_beside(source: str) -> BertConfig | None:
    """Returns the config in the folder of a checkpoint, None without one."""
    try:
        path = tf1.find_config(os.path.dirname(source) or ".")
        if not file_io.exists(path):
            return None
        return families.read_config(file_io.read_bytes(path), path)
    except ValueError:
        # There are several, or it is of something else that stands there.
        return None


def _compare_configs(
    path: str, theirs: BertConfig, ours: BertConfig, config_file: str
) -> None:
    if theirs.model_type != ours.model_type:
        raise ValueError(
            f"--init_checkpoint={path} is of the family {theirs.model_type}, "
            f"{config_file} of {ours.model_type}: they are not of one model"
        )
    heads = theirs.num_attention_heads
    if heads != ours.num_attention_heads:
        raise ValueError(
            f"--init_checkpoint={path} has num_attention_heads={heads}, "
            f"{config_file} {ours.num_attention_heads}"
        )
    functions = activations.ACTIVATIONS
    if functions[theirs.hidden_act] is not functions[ours.hidden_act]:
        logging.warning(
            "--init_checkpoint=%s has hidden_act=%s, %s says %s and is "
            "followed",
            path,
            theirs.hidden_act,
            config_file,
            ours.hidden_act,
        )


def _fates(
    model_variables: Mapping[str, Any], values: Mapping[str, np.ndarray]
) -> dict[str, list[str]]:
    """Returns {what became of names: the names}."""
    return {
        "loaded": [name for name in model_variables if name in values],
        "newly initialised": [n for n in model_variables if n not in values],
        "unused": [name for name in values if name not in model_variables],
    }


def _check_encoder(
    source: str,
    family: Family,
    scopes: tuple[str, ...],
    fates: Mapping[str, list[str]],
    values: Mapping[str, np.ndarray],
    allow_partial: bool,
) -> None:
    if not fates["loaded"]:
        raise ValueError(
            f"--init_checkpoint: {source} has none of this model's variables; "
            f"it has {_listed(sorted(values))}"
        )
    missing, left_over = (
        [name for name in fates[fate] if name.startswith(scopes)]
        for fate in ("newly initialised", "unused")
    )
    of_pooler = set(family.pooler_names)
    pooler = [name for name in missing if name in of_pooler]
    if pooler:
        logging.warning(
            "--init_checkpoint: %s has no pooler, as models of masked words "
            "alone have none: %s are newly initialised",
            source,
            " and ".join(pooler),
        )
    missing = [name for name in missing if name not in of_pooler]
    left_over = [name for name in left_over if name not in of_pooler]
    wrong = []
    for scope in scopes[1:]:
        second = [name for name in missing if name.startswith(scope)]
        if second and not any(name.startswith(scope) for name in values):
            wrong.append(f"has no {scope.rstrip('/')}, {_random(second)}")
            missing = [name for name in missing if name not in second]
    if missing:
        wrong.append(
            f"lacks {len(missing)} variables of the encoder, {_random(missing)}"
        )
    if left_over:
        wrong.append(
            f"has {len(left_over)} that the encoder of --bert_config_file has "
            f"not, {_listed(left_over)}"
        )
    if not wrong:
        return
    text = f"--init_checkpoint: {source} {' and '.join(wrong)}"
    if not allow_partial:
        raise ValueError(
            f"{text}: they are not of one model. --allow_partial_init takes "
            "what fits"
        )
    logging.warning("%s (--allow_partial_init)", text)


def _check_loaded(
    source: str,
    model_variables: Mapping[str, Any],
    names: list[str],
    values: Mapping[str, np.ndarray],
) -> None:
    for name in names:
        ours, theirs = model_variables[name].shape, values[name].shape
        if tuple(ours) != tuple(theirs):
            raise ValueError(
                f"{source}: {name} has shape {list(theirs)}, the model of "
                f"--bert_config_file wants {list(ours)}"
            )
    bad = tensors.not_finite({name: np.asarray(values[name]) for name in names})
    if bad:
        raise ValueError(
            f"--init_checkpoint: {source}: {tensors.describe_not_finite(bad)}; "
            "nothing can be learned from there"
        )


def _random(names: list[str]) -> str:
    return f"{_listed(names)}, which would stay random"


def _listed(names: list[str]) -> str:
    more = " ..." if len(names) > _NUM_NAMED else ""
    return ", ".join(names[:_NUM_NAMED]) + more


def _table(source: str, fates: Mapping[str, list[str]]) -> str:
    lines = [f"initialised from {source}"]
    for fate, names in fates.items():
        lines.append(f"  {fate:<18}{len(names):>5}  {_listed(names)}".rstrip())
    return "\n".join(lines)
