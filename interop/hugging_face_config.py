"""The config.json and tokenizer_config.json of Hugging Face's transformers."""

import dataclasses
import json
import os

from interop import tf1, variables
from modeling import transformer
from text import corpus

CONFIG = "config.json"
_TOKENIZER = "tokenizer_config.json"

ARCHITECTURES = {
    "encoder": "BertModel",
    "masked_lm": "BertForMaskedLM",
    "pretraining": "BertForPreTraining",
    "sequence_classification": "BertForSequenceClassification",
    "token_classification": "BertForTokenClassification",
    "multiple_choice": "BertForMultipleChoice",
    "question_answering": "BertForQuestionAnswering",
}
# Their "gelu" is exact, that of google-research/bert is not.
_OUR_ACTIVATION = {
    "gelu": "gelu_exact",
    "gelu_new": "gelu",
    "gelu_pytorch_tanh": "gelu",
}
_THEIR_ACTIVATION = {"gelu": "gelu_new", "gelu_exact": "gelu"}
# What must be said, and what is assumed where it is not.
_ONLY = {
    "model_type": "bert",
    "layer_norm_eps": transformer.LAYER_NORM_EPSILON,
    "position_embedding_type": "absolute",
    "is_decoder": False,
    "add_cross_attention": False,
    "tie_word_embeddings": True,
}
# What is of the file and of the library that wrote it, not of the model.
_OF_FILE = (
    *_ONLY,
    "_name_or_path",
    "architectures",
    "dtype",
    "label2id",
    "torch_dtype",
    "transformers_version",
)


def read(directory):
    """Reads config.json.

    Returns:
        (a `BertConfig`, the head or None where no architecture is named).

    Raises:
        ValueError: it is missing, or of something that is no BERT of ours.
    """
    path = os.path.join(directory, CONFIG)
    config = tf1.read_config(path)
    for key, wanted in _ONLY.items():
        if config.extra.get(key, wanted) != wanted:
            raise ValueError(
                f"{path}: {key} is {config.extra[key]!r}, this BERT has "
                f"{wanted!r} only"
            )
    named = config.extra.get("architectures") or []
    heads = {name: head for head, name in ARCHITECTURES.items()}
    unknown = [name for name in named if name not in heads]
    if unknown:
        raise ValueError(
            f"{path}: the architecture {unknown[0]} is none of "
            f"{', '.join(heads)}"
        )
    config = dataclasses.replace(
        variables.with_extra(config, drop=_OF_FILE),
        hidden_act=_OUR_ACTIVATION.get(config.hidden_act, config.hidden_act),
    )
    return config, heads[named[0]] if named else None


def write(directory, model):
    """Writes config.json and tokenizer_config.json of a `variables.Bert`."""
    config = model.config
    values = json.loads(config.to_json()) | _ONLY
    values["architectures"] = [ARCHITECTURES[model.head]]
    values["dtype"] = "float32"
    values["hidden_act"] = _THEIR_ACTIVATION.get(
        config.hidden_act, config.hidden_act
    )
    if model.head in variables.LABELLED:
        labels = variables.labels(config) or [
            f"LABEL_{i}" for i in range(variables.num_labels(model.values))
        ]
        values["id2label"] = {str(i): name for i, name in enumerate(labels)}
        values["label2id"] = {name: i for i, name in enumerate(labels)}
    _write_json(os.path.join(directory, CONFIG), values)
    _write_json(
        os.path.join(directory, _TOKENIZER),
        {
            "tokenizer_class": "BertTokenizer",
            "do_lower_case": model.do_lower_case,
            "model_max_length": config.max_position_embeddings,
            "tokenize_chinese_chars": True,
            "strip_accents": None,
        },
    )


def read_case(directory):
    """Whether the model is uncased; True where nothing says it."""
    path = os.path.join(directory, _TOKENIZER)
    if not corpus.exists(path):
        return True
    return json.loads(tf1.read_bytes(path)).get("do_lower_case", True)


def _write_json(path, values):
    text = json.dumps(values, indent=2, sort_keys=True, ensure_ascii=False)
    corpus.write_whole(path, text.encode() + b"\n")
