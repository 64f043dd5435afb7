"""Checkpoints of google-research/bert: published ones, and a training's.

Our names are theirs, so there is no table; older ones are brought up to date.
"""

import os
import re

import numpy as np
from absl import logging

from interop import (
    bert_config,
    checkpoint_names,
    scopes,
    tokenizer_files,
    variables,
)
from interop.families import albert_zh
from interop.families.family import Family
from interop.variables import PortableModel
from storage import file_io, tensors

CONFIG = "bert_config.json"
# What others call it, such as albert_config.json.
_CONFIG_OF_OTHERS = re.compile(r"(?!tokenizer_config\.).*config.*\.json")
_PUBLISHED = "bert_model.ckpt"
# By a program that was killed while it wrote.
_LEFT_BEHIND = ".tmp" + tensors.INDEX
_NUMBERED = re.compile(r"model\.ckpt-(\d+)\.index")
# A part of a name that tf.contrib.layers once wrote, and what it is now. A slot
# of an optimizer may follow.
_OLDER = (
    (re.compile(r"/weights(?=/|$)"), "/kernel"),
    (re.compile(r"/biases(?=/|$)"), "/bias"),
)
_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"


def find(path: str) -> str:
    """Returns the prefix of the checkpoint that a prefix or directory names.

    In a directory the newest model.ckpt-N goes before the only other one.

    Raises:
        ValueError: there is none, or there are several; names them.
    """
    if not file_io.is_directory(path):
        if file_io.exists(path + tensors.INDEX):
            return path
        raise ValueError(
            f"{path}: neither the prefix of a checkpoint, as there is no "
            f"{path}{tensors.INDEX}, nor a directory that holds one"
        )
    names = file_io.names_in(path)
    steps = [int(m[1]) for m in map(_NUMBERED.fullmatch, names) if m]
    if steps:
        return os.path.join(path, f"model.ckpt-{max(steps)}")
    found = [
        name.removesuffix(tensors.INDEX)
        for name in names
        if name.endswith(tensors.INDEX) and not name.endswith(_LEFT_BEHIND)
    ]
    if len(found) == 1:
        return os.path.join(path, found[0])
    if found:
        raise ValueError(
            f"{path} holds {len(found)} checkpoints, {', '.join(found[:5])}: "
            f"name one, such as {os.path.join(path, found[0])}"
        )
    raise ValueError(
        f"{path}: neither the prefix of a checkpoint nor a directory that "
        "holds one"
    )


def read_tensors(
    prefix: str,
    family: Family = variables.DEFAULT,
    *,
    head: str | None = None,
    with_state: bool = True,
    with_second: bool = False,
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Reads a checkpoint.

    Args:
        prefix: of its files.
        family: of the model, for the scope of its encoder.
        head: one of `variables.HEADS`, which decides what is read where there
            are two encoders.
        with_state: whether to read optimizer slots and the step, too.
        with_second: whether both encoders are read where there are two.

    Returns:
        ({name: array}, state): the weights, and the rest in the same form.

    Raises:
        ValueError: it is damaged, says in which tensor, is object-based, or
            has several encoders.
    """
    shapes = tensors.shapes(prefix)
    if _OBJECT_GRAPH in shapes:
        raise ValueError(
            f"{prefix} is an object-based checkpoint of TensorFlow 2; only "
            "those with the names of google-research/bert can be read"
        )
    _refuse_other_families(prefix, shapes, family)
    try:
        ours = scopes.strip(
            sorted(shapes),
            words="embeddings/word_embeddings",
            ours=family.scope,
            separator="/",
        )
    except ValueError as error:
        raise ValueError(f"{prefix}: {error}") from None
    present = {name: _present_name(own) for name, own in ours.items()}
    taken = checkpoint_names.to_ours(
        present.values(), family, head, with_second=with_second
    )
    _tell_of_left_out(prefix, taken, present.values(), family)
    ours = {name: taken[own] for name, own in present.items() if own in taken}
    wanted = [n for n in ours if with_state or not tensors.is_state(n, shapes)]
    values: dict[str, np.ndarray] = {}
    state: dict[str, np.ndarray] = {}
    for theirs, value in tensors.read(prefix, wanted).items():
        kind = state if tensors.is_state(theirs, shapes) else values
        kind[ours[theirs]] = value
    return values, state


def _refuse_other_families(prefix, shapes, family):
    others = [x for x in variables.FAMILIES.values() if x.words in shapes]
    if others and family.words not in shapes:
        titles = " or ".join(x.title for x in others)
        raise ValueError(
            f"{prefix} is of {titles}, as its encoder is under "
            f"{others[0].scope!r}; the config is of {family.title}"
        )


def _tell_of_left_out(prefix, taken, names, family):
    left_out = {"/".join(n.split("/")[:2]) for n in names if n not in taken}
    if left_out:
        logging.warning(
            "%s: %s are left aside, as this %s has no place for them",
            prefix,
            ", ".join(sorted(left_out)),
            family.title,
        )


def _present_name(name: str) -> str:
    for pattern, present in _OLDER:
        name = pattern.sub(present, name)
    return name


def read(
    path: str,
    *,
    config_file: str | None = None,
    head: str | None = None,
    do_lower_case: bool = True,
) -> PortableModel:
    """Reads a checkpoint with the files beside it.

    Args:
        path: a prefix, or a directory.
        config_file: its bert_config.json; the one beside it if None.
        head: one of `variables.HEADS`, where the names fit several.
        do_lower_case: whether the model is uncased, which no file says.

    Returns:
        The model.

    Raises:
        ValueError: a file is missing, damaged, or does not fit the others.
    """
    prefix = find(path)
    beside = os.path.dirname(prefix)
    is_given = config_file is not None
    config_file = config_file or find_config(beside)
    shapes = tensors.shapes(prefix)
    is_of_albert_zh = albert_zh.is_here(shapes)
    known = _published_without_config(shapes)
    if is_of_albert_zh:
        config = albert_zh.read_config(config_file)
    elif known and not is_given and not file_io.exists(config_file):
        config = _config_of(prefix, shapes, known[0], head)
    else:
        config = bert_config.read(config_file)
    family = variables.family_of(config)
    values, state = read_tensors(prefix, family, head=head)
    if is_of_albert_zh:
        values = albert_zh.expanded(values, config.num_hidden_layers)
        state = {}
        logging.warning(
            "%s: an ALBERT of albert_zh, read as the BERT that computes the "
            "same, without the state of an optimizer",
            prefix,
        )
    model = PortableModel(
        config=config,
        head=variables.infer_head(family, values, head),
        values=values,
        tokenizer=tokenizer_files.read(beside),
        do_lower_case=do_lower_case,
        state=state,
    )
    variables.check_model(model, prefix)
    return model


def _published_without_config(shapes):
    return [
        family
        for family in variables.FAMILIES.values()
        if family.config_of and family.words in shapes
    ]


def _config_of(prefix, shapes, family, head):
    """Returns the config that the shapes of a checkpoint say."""
    ours = checkpoint_names.to_ours(shapes, family, head)
    config = family.config_of({own: shapes[n] for n, own in ours.items()})
    logging.info(
        "%s has no config beside it; by its shapes it is an %s: %s",
        prefix,
        family.title,
        " ".join(config.to_json().split()),
    )
    return config


def find_config(directory: str) -> str:
    """Returns the path of a directory's bert_config.json, whatever its name.

    Raises:
        ValueError: there are several, of other names; names them.
    """
    names = file_io.names_in(directory)
    found = [name for name in names if _CONFIG_OF_OTHERS.fullmatch(name)]
    if CONFIG in found or not found:
        found = [CONFIG]
    if len(found) > 1:
        raise ValueError(
            f"{directory} holds {len(found)} configs, {', '.join(found[:5])}: "
            "name one with --bert_config_file"
        )
    return os.path.join(directory, found[0])


def export(
    directory: str, model: PortableModel, *, keep_state: bool = False
) -> str:
    """Writes a model in the form in which models are published.

    That is bert_model.ckpt, bert_config.json and, if the model has them, the
    files of its tokenizer. The index of the checkpoint appears last.

    Args:
        directory: made when missing; older files of these names are replaced.
        model: what to write.
        keep_state: whether optimizer slots and the step go with it.

    Returns:
        The prefix of the checkpoint.
    """
    variables.check_model(model, directory)
    file_io.make_directory(directory)
    prefix = os.path.join(directory, _PUBLISHED)
    file_io.remove(prefix + tensors.INDEX)
    file_io.write_whole(
        os.path.join(directory, CONFIG), model.config.to_json().encode() + b"\n"
    )
    tokenizer_files.write(directory, model.tokenizer)
    values = {**model.values, **(model.state if keep_state else {})}
    tensors.write(
        prefix,
        {
            checkpoint_names.to_theirs(name, model.family): value
            for name, value in values.items()
        },
    )
    return prefix
