"""Directories of Hugging Face's transformers: BERT with each of its heads.

A directory has config.json, model.safetensors (in parts where it is large;
pytorch_model.bin from older versions), vocab.txt and tokenizer_config.json.
"""

import json
import os
import pickle
import re

import ml_dtypes
import numpy as np
import safetensors
import safetensors.numpy

from interop import hugging_face_config, tf1, variables
from text import corpus

_WEIGHTS = "model.safetensors"
_OLDER_WEIGHTS = "pytorch_model.bin"
_INDEX = ".index.json"
_DTYPES = {
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "BF16": ml_dtypes.bfloat16,
    "I64": np.int64,  # Buffers.
}
_NARROW = ("F16", "BF16")

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
# Buffers, and copies of tied weights under names of their own.
_BUFFERS = (
    "bert.embeddings.position_ids",
    "bert.embeddings.token_type_ids",
)
_TIED = {
    "cls.predictions.decoder.weight": "bert.embeddings.word_embeddings.weight",
    "cls.predictions.decoder.bias": "cls.predictions.bias",
}
_PREFIX = "bert."
_ENCODER_PARTS = ("embeddings.", "encoder.", "pooler.")


def is_here(directory):
    """Whether a directory holds a model of transformers."""
    return corpus.exists(
        os.path.join(directory, hugging_face_config.CONFIG)
    ) and any(
        corpus.exists(os.path.join(directory, name + end))
        for name in (_WEIGHTS, _OLDER_WEIGHTS)
        for end in ("", _INDEX)
    )


def read(directory, *, head=None):
    """Reads a directory.

    Args:
        directory: local or remote.
        head: a key of `variables.HEADS`, where config.json names none and
            the names of the tensors fit several.

    Returns:
        A `variables.Bert`.

    Raises:
        ValueError: a file is missing, damaged, or does not fit the others.
    """
    config, own_head = hugging_face_config.read(directory)
    tensors = _present_names(_load(directory), directory)
    rows = variables.expand(_TABLE, _KINDS, config.num_hidden_layers)
    known = [ours for ours, (theirs, _) in rows.items() if theirs in tensors]
    head = own_head or variables.infer_head(known, head)
    num_labels = _num_labels(tensors)
    wanted = variables.wanted(config, head, num_labels)
    optional = variables.POOLER if head in variables.WITHOUT_POOLER else ()
    variables.check(
        variables.shapes(tensors),
        {rows[n][0]: _turn(s, rows[n][1]) for n, s in wanted.items()},
        directory,
        [rows[name][0] for name in optional],
    )
    values = {}
    for name in wanted:
        theirs, is_turned = rows[name]
        if theirs in tensors:
            values[name] = tensors[theirs].T if is_turned else tensors[theirs]
    model = variables.Bert(
        config=config,
        head=head,
        values=values,
        vocabulary=tf1.read_vocabulary(directory),
        do_lower_case=hugging_face_config.read_case(directory),
    )
    variables.check_labels(model, directory)
    return model


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
    corpus.make_directory(directory)
    hugging_face_config.write(directory, model)
    if model.vocabulary is not None:
        corpus.write_whole(
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
    corpus.write_whole(
        os.path.join(directory, _WEIGHTS),
        safetensors.numpy.save(tensors, metadata={"format": "pt"}),
    )


def _turn(shape, is_turned):
    return tuple(reversed(shape)) if is_turned else tuple(shape)


def _num_labels(tensors):
    for name in ("classifier.weight", "qa_outputs.weight"):
        if name in tensors:
            return len(tensors[name])
    return 2


def _load(directory):
    """Returns {their name: array} of every file of weights."""
    for name, load in ((_WEIGHTS, _load_safe), (_OLDER_WEIGHTS, _load_torch)):
        path = os.path.join(directory, name)
        if corpus.exists(path):
            return load(path)
        if corpus.exists(path + _INDEX):
            index = json.loads(tf1.read_bytes(path + _INDEX))
            parts = sorted(set(index["weight_map"].values()))
            return {
                key: value
                for part in parts
                for key, value in load(os.path.join(directory, part)).items()
            }
    raise ValueError(f"{directory} has neither {_WEIGHTS} nor {_OLDER_WEIGHTS}")


def _load_safe(path):
    if not corpus.exists(path):
        raise ValueError(f"{path} is missing: its index names it")
    try:
        tensors = safetensors.deserialize(tf1.read_bytes(path))
    except safetensors.SafetensorError as error:
        raise ValueError(f"{path} is damaged: {error}") from None
    return {
        name: _array(tensor["data"], tensor["dtype"], path, name).reshape(
            tensor["shape"]
        )
        for name, tensor in tensors
    }


def _array(data, dtype, path, name):
    if dtype not in _DTYPES:
        raise ValueError(f"{path}: {name} is {dtype}, not a float")
    array = np.frombuffer(data, _DTYPES[dtype])
    return array.astype(np.float32) if dtype in _NARROW else array


def _load_torch(path):
    try:
        import torch
    except ImportError:
        raise ValueError(
            f"{path} can be read with PyTorch only: install torch, or save "
            "the model as safetensors where it is"
        ) from None
    try:
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, OSError, pickle.UnpicklingError) as error:
        raise ValueError(f"{path} is damaged: {error}") from None
    return {
        name: tensor.numpy()
        if tensor.dtype not in (torch.bfloat16, torch.float16)
        else tensor.float().numpy()
        for name, tensor in tensors.items()
    }


def _present_names(tensors, directory):
    """Renames what older versions and bare encoders name otherwise.

    Raises:
        ValueError: a tied weight is not equal to the one it is tied to.
    """
    is_bare = not any(name.startswith(_PREFIX) for name in tensors)
    present = {}
    for name, value in tensors.items():
        if is_bare and name.startswith(_ENCODER_PARTS):
            name = _PREFIX + name
        name = re.sub(r"LayerNorm\.gamma$", "LayerNorm.weight", name)
        name = re.sub(r"LayerNorm\.beta$", "LayerNorm.bias", name)
        if name not in _BUFFERS:
            present[name] = value
    for name, original in _TIED.items():
        copy = present.pop(name, None)
        if copy is None:
            continue
        if not np.array_equal(copy, present.setdefault(original, copy)):
            raise ValueError(
                f"{directory}: {name} {list(copy.shape)} is not equal to "
                f"{original} {list(present[original].shape)}; BERT has one "
                "tensor for both"
            )
    return present
