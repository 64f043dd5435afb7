"""The config.json and tokenizer_config.json of Hugging Face's transformers."""

import json
import os
from collections.abc import Mapping
from typing import Any

from absl import logging

from interop import bert_config, tokenizer_files, variables
from interop.variables import PortableModel
from modeling.config import BertConfig
from storage import file_io, json_files
from text import case

# How text is read before SentencePiece, and before byte-level BPE.
_ALBERT_TEXT = {"remove_space": True, "keep_accents": False}
_ROBERTA_TEXT = {"add_prefix_space": False}


def read(directory: str) -> tuple[BertConfig, str | None]:
    """Reads config.json.

    Returns:
        The config, and the head that the model was saved from, None where no
        architecture of ours is named.

    Raises:
        ValueError: it is missing, or of something that is no BERT of ours.
    """
    path = os.path.join(directory, bert_config.HUGGING_FACE)
    config = bert_config.read_as_it_is(path)
    named = config.extra.get("architectures") or []
    json_files.check(named, [str], path, "architectures")
    theirs = variables.family_of(config).hugging_face
    heads = {name: head for head, name in theirs.architectures.items()}
    heads[theirs.decoder] = "masked_lm"
    known = [heads[name] for name in named if name in heads]
    if named and not known:
        logging.warning(
            "%s: saved as %s, which is not known here: what is read is what "
            "the tensors are",
            path,
            ", ".join(named),
        )
    return bert_config.of_file(config, path), known[0] if known else None


def write(directory: str, model: PortableModel) -> None:
    """Writes config.json and tokenizer_config.json."""
    config, theirs = model.config, model.family.hugging_face
    values = json.loads(config.to_json()) | config.fixed()
    values["is_decoder"] = config.is_decoder
    name = theirs.architectures[model.head]
    if config.is_decoder and model.head == "masked_lm":
        name = theirs.decoder
    values["architectures"] = [name]
    values["dtype"] = "float32"
    key = config.keys.get("hidden_act", "hidden_act")
    values[key] = theirs.their_activation(config.hidden_act)
    if model.head in variables.LABELLED:
        labels = variables.labels(config) or [
            f"LABEL_{i}" for i in range(variables.num_labels(model.values))
        ]
        values["id2label"] = {str(i): name for i, name in enumerate(labels)}
        values["label2id"] = {name: i for i, name in enumerate(labels)}
    _write_json(os.path.join(directory, bert_config.HUGGING_FACE), values)
    _write_json(
        os.path.join(directory, case.TOKENIZER_CONFIG),
        _of_tokenizer(model) | {"model_max_length": config.num_positions},
    )


def _of_tokenizer(model):
    kind = tokenizer_files.kind(model.tokenizer)
    if kind == "byte_pairs":
        return {"tokenizer_class": "RobertaTokenizer", **_ROBERTA_TEXT}
    if kind == "sentencepiece":
        settings = {"do_lower_case": model.do_lower_case, **_ALBERT_TEXT}
        return {"tokenizer_class": "AlbertTokenizer", **settings}
    return {
        "tokenizer_class": model.family.hugging_face.tokenizer,
        "do_lower_case": model.do_lower_case,
        "tokenize_chinese_chars": True,
        "strip_accents": None,
    }


def read_tokenizer(directory: str) -> tokenizer_files.Files:
    """Returns the files of a directory's tokenizer, none without one.

    What tokenizer_config.json asks for and is done otherwise here is a warning.
    """
    files = tokenizer_files.read(directory)
    path = os.path.join(directory, case.TOKENIZER_CONFIG)
    values = json_files.read_or_none(path, object)
    wanted = {"sentencepiece": _ALBERT_TEXT, "byte_pairs": _ROBERTA_TEXT}
    of_kind = wanted.get(tokenizer_files.kind(files), {})
    for key, value in of_kind.items() if isinstance(values, dict) else ():
        if values.get(key, value) != value:
            logging.warning(
                "%s: %s is %s, and text is read here as with %s",
                path,
                key,
                values[key],
                value,
            )
    return files


def _write_json(path: str, values: Mapping[str, Any]) -> None:
    text = json.dumps(values, indent=2, sort_keys=True, ensure_ascii=False)
    file_io.write_whole(path, text.encode() + b"\n")
