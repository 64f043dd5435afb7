"""Directories of Hugging Face's transformers: a model with any of its heads.

A directory has config.json, model.safetensors (in parts where it is large;
pytorch_model.bin from older versions), tokenizer_config.json and vocab.txt, or
the files of another kind of tokenizer.
"""

import os
import re
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import safetensors.numpy
from absl import logging

from interop import (
    bert_config,
    hugging_face_config,
    hugging_face_weights,
    scopes,
    tokenizer_files,
    variables,
)
from interop.families.family import Family
from interop.variables import PortableModel
from modeling.config import BertConfig
from storage import file_io
from text import case

_ENDINGS = {
    "embedding": ((".weight", False),),
    "dense": ((".weight", True), (".bias", False)),
    "norm": ((".bias", False), (".weight", False)),
    "bias": ((".bias", False),),
    "logits": ((".weight", False), (".bias", False)),
}
_NUM_NAMED = 5


def is_here(directory: str) -> bool:
    """Whether a directory holds a model of transformers."""
    config = os.path.join(directory, bert_config.HUGGING_FACE)
    return file_io.exists(config) and hugging_face_weights.are_here(directory)


def read(directory: str, *, head: str | None = None) -> PortableModel:
    """Reads a directory.

    Args:
        directory: local or remote.
        head: one of `variables.HEADS`, where the names of the tensors fit
            several and config.json does not say which it was saved from.

    Returns:
        The model with the largest head whose tensors are all there; what is
        left aside is named in a warning.

    Raises:
        ValueError: a file is missing, damaged, or does not fit the others.
    """
    config, saved_from = hugging_face_config.read(directory)
    values = read_values(directory, config, saved_from or head)
    family = variables.family_of(config)
    head = variables.infer_head(family, values, saved_from or head)
    # The rows of this head, whatever other heads are there.
    names = family.head_names(head)
    of_head = {name: x for name, x in values.items() if name in names}
    wanted = variables.wanted(config, head, variables.num_labels(of_head))
    aside = sorted(values.keys() - wanted.keys())
    _warn_of_aside(directory, family, aside)
    values = {name: values[name] for name in wanted if name in values}
    model = PortableModel(
        config=config,
        head=head,
        values=values,
        tokenizer=hugging_face_config.read_tokenizer(directory),
        do_lower_case=case.find([directory])[0] is not False,
    )
    _check(model, wanted, directory)
    variables.check_labels(model, directory)
    _check_decoder(model)
    return model


def _rows(config: BertConfig, head: str) -> dict[str, tuple[str, bool]]:
    """Returns {our name: (their name, whether it is transposed there)}."""
    return variables.family_of(config).translations(
        config, head, lambda row: row.hugging_face, _ENDINGS
    )


def _all_rows(
    config: BertConfig, head: str | None
) -> dict[str, tuple[str, bool]]:
    """Returns {their name: (our name, ...)} of every head.

    Two of theirs may be one of ours: what the head has stands last.
    """
    heads = sorted(variables.family_of(config).heads, key=lambda x: x == head)
    return {
        theirs: (name, is_transposed)
        for each in heads
        for name, (theirs, is_transposed) in _rows(config, each).items()
    }


def _check(
    model: PortableModel, wanted: variables.Shapes, directory: str
) -> None:
    """Refuses what is missing or of another shape, in their names."""
    rows = _rows(model.config, model.head)
    optional = [rows[name][0] for name in variables.optional_names(model)]

    def theirs(shapes: variables.Shapes) -> variables.Shapes:
        return {
            rows[name][0]: shape[::-1] if rows[name][1] else shape
            for name, shape in shapes.items()
        }

    found = variables.shapes(model.values)
    variables.check(theirs(found), theirs(wanted), directory, optional)


def read_values(
    directory: str, config: BertConfig, head: str | None = None
) -> dict[str, np.ndarray]:
    """Returns {our name: array} of all tensors that have one.

    What has none is named in a warning and left aside, unless it is of the
    encoder: that would be another model.

    Args:
        directory: local or remote.
        config: that of the directory.
        head: whose names go before those of other heads, if it is known.

    Raises:
        ValueError: a file is missing, damaged, or does not fit the config.
    """
    family = variables.family_of(config)
    tensors = _present_names(
        hugging_face_weights.load(directory), directory, family
    )
    ours = _all_rows(config, head)
    prefix = family.hugging_face.prefix
    wrong = [x for x in tensors if x.startswith(prefix) and x not in ours]
    if wrong:
        raise ValueError(
            f"{directory} does not fit its config: "
            f"{_listed(wrong)} have no place in an encoder of "
            f"{config.num_hidden_layers} layers"
        )
    _warn_of_aside(directory, family, sorted(tensors.keys() - ours.keys()))
    values = {}
    for theirs, (name, is_transposed) in ours.items():
        if theirs in tensors:
            value = tensors[theirs]()
            values[name] = value.T if is_transposed else value
    return values


def _warn_of_aside(directory: str, family: Family, names: list[str]) -> None:
    if names:
        logging.warning(
            "%s: %s tensors are left aside, as %s has no place for them: %s",
            directory,
            len(names),
            family.title,
            _listed(names),
        )


def _listed(names: Iterable[str]) -> str:
    names = sorted(names)
    more = " ..." if len(names) > _NUM_NAMED else ""
    return ", ".join(names[:_NUM_NAMED]) + more


def export(directory: str, model: PortableModel) -> None:
    """Writes a directory for `from_pretrained`; the weights appear last.

    A pooler is left out where transformers has none, with masked_lm,
    token_classification and question_answering.

    Args:
        directory: made when missing; older files of these names are replaced.
        model: what to write.
    """
    variables.check_model(model, directory)
    variables.check_labels(model, directory)
    _check_exportable(model)
    file_io.make_directory(directory)
    hugging_face_config.write(directory, model)
    tokenizer_files.write(directory, model.tokenizer)
    rows, family = _rows(model.config, model.head), model.family
    has_no_pooler = model.head in family.hugging_face.without_pooler
    tensors = {}
    for name, value in model.values.items():
        if has_no_pooler and name in family.pooler_names:
            continue
        theirs, is_transposed = rows[name]
        if model.head == "encoder":
            theirs = theirs.removeprefix(family.hugging_face.prefix)
        value = value.T if is_transposed else value
        tensors[theirs] = np.ascontiguousarray(value)
    file_io.write_whole(
        os.path.join(directory, hugging_face_weights.FILE),
        safetensors.numpy.save(tensors, metadata={"format": "pt"}),
    )


def _check_exportable(model: PortableModel) -> None:
    theirs, title = model.family.hugging_face, model.family.title
    unfit = theirs.unfit(model.config)
    if unfit:
        raise ValueError(f"transformers has no {title} {unfit}")
    _check_decoder(model)
    if model.head not in theirs.architectures:
        raise ValueError(
            f"transformers has no {title} with the head {model.head}; --head "
            f"may be one of {', '.join(theirs.architectures)} that the model "
            "has"
        )


def _check_decoder(model: PortableModel) -> None:
    """Refuses a decoder whose texts are judged by their first token there."""
    heads = set(model.family.hugging_face.without_pooler) - {"encoder"}
    if model.config.is_decoder and model.head not in heads:
        raise ValueError(
            f"transformers reads a {model.family.title} with the head "
            f"{model.head} from its first token, which sees nothing where "
            "is_decoder is true, and here the last one is read; --head may be "
            f"one of {', '.join(sorted(heads))} that the model has"
        )


def _present_names(
    tensors: Mapping[str, Callable[[], np.ndarray]],
    directory: str,
    family: Family,
) -> dict[str, Callable[[], np.ndarray]]:
    """Renames what older versions and other scopes name otherwise.

    Args:
        tensors: {their name: function that makes the array}.
        directory: where they are from, for errors.
        family: of the model.

    Raises:
        ValueError: a tied weight is not equal to the one it is tied to, or
            there are several encoders.
    """
    theirs = family.hugging_face
    try:
        names = scopes.strip(
            sorted(tensors),
            words=hugging_face_weights.WORDS,
            ours=theirs.prefix,
            separator=".",
        )
    except ValueError as error:
        raise ValueError(f"{directory}: {error}") from None
    present = {}
    for name, value in tensors.items():
        name = re.sub(r"LayerNorm\.gamma$", "LayerNorm.weight", names[name])
        name = re.sub(r"LayerNorm\.beta$", "LayerNorm.bias", name)
        if not name.endswith(theirs.buffers):
            present[name] = value
    for name, original in theirs.tied.items():
        copy = present.pop(name, None)
        if copy is None:
            continue
        first, other = present.setdefault(original, copy)(), copy()
        if not np.array_equal(first, other):
            raise ValueError(
                f"{directory}: {name} {list(other.shape)} is not equal to "
                f"{original} {list(first.shape)}; {family.title} has one "
                "tensor for both"
            )
    return present
