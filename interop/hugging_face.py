"""Directories of Hugging Face's transformers: BERT with each of its heads.

A directory has config.json, model.safetensors (in parts where it is large;
pytorch_model.bin from older versions), vocab.txt and tokenizer_config.json.
"""

import os
import re

import numpy as np
import safetensors.numpy
from absl import logging

from interop import (
    bert_config,
    hugging_face_config,
    hugging_face_weights,
    scopes,
    tf1,
    variables,
)
from storage import file_io
from text import case

# (ours, theirs, kind)
_TABLE = (
    *(
        (f"bert/embeddings/{name}", f"bert.embeddings.{name}", "embedding")
        for name in (
            "word_embeddings",
            "token_type_embeddings",
            "position_embeddings",
        )
    ),
    ("bert/embeddings/LayerNorm", "bert.embeddings.LayerNorm", "norm"),
    *(
        (f"bert/encoder/layer_{{i}}/{ours}", f"bert.encoder.layer.{{i}}.{x}", k)
        for ours, x, k in (
            ("attention/self/query", "attention.self.query", "dense"),
            ("attention/self/key", "attention.self.key", "dense"),
            ("attention/self/value", "attention.self.value", "dense"),
            ("attention/output/dense", "attention.output.dense", "dense"),
            (
                "attention/output/LayerNorm",
                "attention.output.LayerNorm",
                "norm",
            ),
            ("intermediate/dense", "intermediate.dense", "dense"),
            ("output/dense", "output.dense", "dense"),
            ("output/LayerNorm", "output.LayerNorm", "norm"),
        )
    ),
    ("bert/pooler/dense", "bert.pooler.dense", "dense"),
    (
        "cls/predictions/transform/dense",
        "cls.predictions.transform.dense",
        "dense",
    ),
    (
        "cls/predictions/transform/LayerNorm",
        "cls.predictions.transform.LayerNorm",
        "norm",
    ),
    ("cls/predictions/", "cls.predictions", "bias"),
    ("cls/seq_relationship/", "cls.seq_relationship", "logits"),
    ("", "classifier", "logits"),
    ("cls/squad/", "qa_outputs", "logits"),
)
_KINDS = {
    "embedding": (("", ".weight", False),),
    "dense": (("/kernel", ".weight", True), ("/bias", ".bias", False)),
    "norm": (("/gamma", ".weight", False), ("/beta", ".bias", False)),
    "bias": (("output_bias", ".bias", False),),
    "logits": (
        ("output_weights", ".weight", False),
        ("output_bias", ".bias", False),
    ),
}
_WITHOUT_POOLER = ("masked_lm", "token_classification", "question_answering")
# Numbers of places, which newer versions make anew: of any integer type.
_BUFFERS = ("embeddings.position_ids", "embeddings.token_type_ids")
# Copies of tied weights under names of their own.
_TIED = {
    "cls.predictions.decoder.weight": "bert.embeddings.word_embeddings.weight",
    "cls.predictions.decoder.bias": "cls.predictions.bias",
}
_PREFIX = "bert."
_NUM_NAMED = 5


def is_here(directory):
    """Whether a directory holds a model of transformers."""
    config = os.path.join(directory, bert_config.HUGGING_FACE)
    return file_io.exists(config) and hugging_face_weights.are_here(directory)


def read(directory, *, head=None):
    """Reads a directory.

    Args:
        directory: local or remote.
        head: a key of `variables.HEADS`, where the names of the tensors fit
            several and config.json does not say which it was saved from.

    Returns:
        A `variables.Bert`, with the largest head whose tensors are all there;
        what is left aside is named in a warning.

    Raises:
        ValueError: a file is missing, damaged, or does not fit the others.
    """
    config, saved_from = hugging_face_config.read(directory)
    values = read_values(directory, config)
    head = variables.infer_head(values, saved_from or head)
    # The rows of this head, whatever other heads are there.
    of_head = {n: x for n, x in values.items() if n in variables.HEADS[head]}
    wanted = variables.wanted(config, head, variables.num_labels(of_head))
    aside = sorted(values.keys() - wanted.keys())
    _warn_of_aside(directory, aside)
    values = {name: values[name] for name in wanted if name in values}
    model = variables.Bert(
        config=config,
        head=head,
        values=values,
        vocabulary=tf1.read_vocabulary(directory),
        do_lower_case=case.find([directory])[0] is not False,
    )
    _check(model, wanted, directory)
    variables.check_labels(model, directory)
    return model


def _check(model, wanted, directory):
    """Refuses what is missing or of another shape, in their names."""
    rows = variables.expand(_TABLE, _KINDS, model.config.num_hidden_layers)
    optional = ()
    if model.head in variables.WITHOUT_POOLER:
        optional = [rows[name][0] for name in variables.POOLER]

    def theirs(shapes):
        return {
            rows[name][0]: shape[::-1] if rows[name][1] else shape
            for name, shape in shapes.items()
        }

    found = variables.shapes(model.values)
    variables.check(theirs(found), theirs(wanted), directory, optional)


def read_values(directory, config):
    """Returns {our name: array} of all tensors that have one.

    What has none is named in a warning and left aside, unless it is of the
    encoder: that would be another model.

    Args:
        directory: local or remote.
        config: its `BertConfig`.

    Raises:
        ValueError: a file is missing, damaged, or does not fit the config.
    """
    tensors = _present_names(hugging_face_weights.load(directory), directory)
    rows = variables.expand(_TABLE, _KINDS, config.num_hidden_layers)
    ours = {theirs: (name, turn) for name, (theirs, turn) in rows.items()}
    wrong = [x for x in tensors if x.startswith(_PREFIX) and x not in ours]
    if wrong:
        raise ValueError(
            f"{directory} does not fit its config: "
            f"{_listed(wrong)} have no place in an encoder of "
            f"{config.num_hidden_layers} layers"
        )
    _warn_of_aside(directory, sorted(tensors.keys() - ours.keys()))
    values = {}
    for theirs, (name, is_turned) in ours.items():
        if theirs in tensors:
            value = tensors[theirs]()
            values[name] = value.T if is_turned else value
    return values


def _warn_of_aside(directory, names):
    if names:
        logging.warning(
            "%s: %s tensors are left aside, as BERT has no place for them: %s",
            directory,
            len(names),
            _listed(names),
        )


def _listed(names):
    more = " ..." if len(names) > _NUM_NAMED else ""
    return ", ".join(sorted(names)[:_NUM_NAMED]) + more


def export(directory, model):
    """Writes a directory for `from_pretrained`; the weights appear last.

    A pooler is left out where transformers has none, with masked_lm,
    token_classification and question_answering.

    Args:
        directory: made when missing; older files of these names are replaced.
        model: a `variables.Bert`.
    """
    variables.check_model(model, directory)
    variables.check_labels(model, directory)
    file_io.make_directory(directory)
    hugging_face_config.write(directory, model)
    if model.vocabulary is not None:
        file_io.write_whole(
            os.path.join(directory, tf1.VOCABULARY), model.vocabulary
        )
    rows = variables.expand(_TABLE, _KINDS, model.config.num_hidden_layers)
    tensors = {}
    for name, value in model.values.items():
        if model.head in _WITHOUT_POOLER and name in variables.POOLER:
            continue
        theirs, is_turned = rows[name]
        if model.head == "encoder":
            theirs = theirs.removeprefix(_PREFIX)
        tensors[theirs] = np.ascontiguousarray(value.T if is_turned else value)
    file_io.write_whole(
        os.path.join(directory, hugging_face_weights.FILE),
        safetensors.numpy.save(tensors, metadata={"format": "pt"}),
    )


def _present_names(tensors, directory):
    """Renames what older versions and other scopes name otherwise.

    Args:
        tensors: {their name: function that makes the array}.
        directory: where they are from, for errors.

    Raises:
        ValueError: a tied weight is not equal to the one it is tied to, or
            there are several encoders.
    """
    try:
        names = scopes.strip(
            sorted(tensors),
            words=hugging_face_weights.WORDS,
            ours=_PREFIX,
            separator=".",
        )
    except ValueError as error:
        raise ValueError(f"{directory}: {error}") from None
    present = {}
    for name, value in tensors.items():
        name = re.sub(r"LayerNorm\.gamma$", "LayerNorm.weight", names[name])
        name = re.sub(r"LayerNorm\.beta$", "LayerNorm.bias", name)
        if not name.endswith(_BUFFERS):
            present[name] = value
    for name, original in _TIED.items():
        copy = present.pop(name, None)
        if copy is None:
            continue
        ours, theirs = present.setdefault(original, copy)(), copy()
        if not np.array_equal(ours, theirs):
            raise ValueError(
                f"{directory}: {name} {list(theirs.shape)} is not equal to "
                f"{original} {list(ours.shape)}; BERT has one tensor for both"
            )
    return present
