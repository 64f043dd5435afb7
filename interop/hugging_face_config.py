"""The config.json and tokenizer_config.json of Hugging Face's transformers."""

import json
import os
from collections.abc import Mapping
from typing import Any

from absl import logging

from interop import bert_config, variables
from interop.variables import PortableModel
from modeling.config import BertConfig
from storage import file_io, json_files
from text import case


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
    values["architectures"] = [theirs.architectures[model.head]]
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
        {
            "tokenizer_class": theirs.tokenizer,
            "do_lower_case": model.do_lower_case,
            "model_max_length": config.num_positions,
            "tokenize_chinese_chars": True,
            "strip_accents": None,
        },
    )


def _write_json(path: str, values: Mapping[str, Any]) -> None:
    text = json.dumps(values, indent=2, sort_keys=True, ensure_ascii=False)
    file_io.write_whole(path, text.encode() + b"\n")
