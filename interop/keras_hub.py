"""Presets of KerasHub: BertBackbone, BertMaskedLM and BertTextClassifier.

KerasHub itself writes and reads them; here is the way to and from its weights.
It computes the encoder with the tanh formula of google-research/bert, but the
head of BertMaskedLM with the exact GELU and an epsilon of 1e-5.
"""

import os

import numpy as np

from interop import bert_config, tf1, variables
from modeling import config as model_config
from storage import file_io, json_files
from text import vocab

HEADS = ("encoder", "masked_lm", "sequence_classification")

# (ours, theirs, kind); their attention has [W, H, D] where ours has [W, H*D].
_TABLE = (
    ("bert/embeddings/word_embeddings", "token_embedding", "embedding"),
    ("bert/embeddings/position_embeddings", "position_embedding", "embedding"),
    ("bert/embeddings/token_type_embeddings", "segment_embedding", "embedding"),
    ("bert/embeddings/LayerNorm", "embeddings_layer_norm", "norm"),
    *(
        (f"bert/encoder/layer_{{i}}/{ours}", f"transformer_layer_{{i}}/{x}", k)
        for ours, x, k in (
            ("attention/self/query", "self_attention_layer/query", "dense"),
            ("attention/self/key", "self_attention_layer/key", "dense"),
            ("attention/self/value", "self_attention_layer/value", "dense"),
            (
                "attention/output/dense",
                "self_attention_layer/attention_output",
                "dense",
            ),
            ("attention/output/LayerNorm", "self_attention_layer_norm", "norm"),
            ("intermediate/dense", "feedforward_intermediate_dense", "dense"),
            ("output/dense", "feedforward_output_dense", "dense"),
            ("output/LayerNorm", "feedforward_layer_norm", "norm"),
        )
    ),
    ("bert/pooler/dense", "pooled_dense", "dense"),
    (
        "cls/predictions/transform/dense",
        "mlm_head/intermediate_dense",
        "dense",
    ),
    (
        "cls/predictions/transform/LayerNorm",
        "mlm_head/intermediate_layer_norm",
        "norm",
    ),
    ("cls/predictions/", "mlm_head", "bias"),
    ("", "logits", "logits"),
)
_KINDS = {
    "embedding": (("", "/embeddings", False),),
    "dense": (("/kernel", "/kernel", False), ("/bias", "/bias", False)),
    "norm": (("/gamma", "/gamma", False), ("/beta", "/beta", False)),
    "bias": (("output_bias", "/output_bias", False),),
    "logits": (
        ("output_weights", "/kernel", True),
        ("output_bias", "/bias", False),
    ),
}
# (ours, theirs) of the config.
_SETTINGS = (
    ("vocab_size", "vocabulary_size"),
    ("hidden_size", "hidden_dim"),
    ("num_hidden_layers", "num_layers"),
    ("num_attention_heads", "num_heads"),
    ("intermediate_size", "intermediate_dim"),
    ("hidden_dropout_prob", "dropout"),
    ("max_position_embeddings", "max_sequence_length"),
    ("type_vocab_size", "num_segments"),
)
# Of each JSON file of a preset.
_FILE = {"class_name?": (str, None), "config?": (dict, None)}
_VOCABULARY = "assets/tokenizer/vocabulary.txt"
_ACTIVATIONS = ("gelu", "gelu_new", "gelu_pytorch_tanh", "gelu_exact")


def is_here(directory):
    """Whether a directory holds a BERT preset of KerasHub."""
    return _class_name(directory, "config.json") == "BertBackbone"


def read(directory):
    """Reads a preset, of a task or of a backbone.

    A bert_config.json beside it, which `export` writes, says what KerasHub's
    own config does not.

    Args:
        directory: a local one.

    Returns:
        A `variables.Bert`.

    Raises:
        ValueError: a file is damaged, or it is a task we do not know.
    """
    head = _head_of(directory)
    options = {} if head == "encoder" else {"preprocessor": None}
    try:
        model = _models()[head].from_preset(directory, **options)
    # Whatever KerasHub trips over in files that are not its own.
    except Exception as error:
        raise ValueError(
            f"{directory} cannot be loaded: {type(error).__name__}: {error}"
        ) from None
    vocab_file = os.path.join(directory, _VOCABULARY)
    found = variables.Bert(
        config=_config_of(directory, model),
        head=head,
        values=_values_of(model, head, directory),
        vocabulary=(
            file_io.read_bytes(vocab_file)
            if os.path.exists(vocab_file)
            else None
        ),
        do_lower_case=_read_case(directory),
    )
    variables.check_model(found, directory)
    return found


def export(directory, model):
    """Writes a preset.

    Args:
        directory: a local one, made when missing.
        model: a `variables.Bert` with its pooler, and a head of `HEADS`.

    Raises:
        ValueError: KerasHub has no such head or activation.
    """
    _check_exportable(directory, model)
    import keras_hub

    tokenizer = model.vocabulary and keras_hub.models.BertTokenizer(
        vocabulary=list(vocab.parse(model.vocabulary, _VOCABULARY).rows),
        lowercase=model.do_lower_case,
        strip_accents=model.do_lower_case,
    )
    config = model.config
    backbone = keras_hub.models.BertBackbone(
        **{theirs: getattr(config, ours) for ours, theirs in _SETTINGS}
    )
    task = _with_head(backbone, tokenizer, model)
    rows = _rows(config.num_hidden_layers)
    weights = {weight.path: weight for weight in task.weights}
    for name, value in model.values.items():
        theirs, is_turned = rows[name]
        weight = weights.pop(theirs)
        weight.assign((value.T if is_turned else value).reshape(weight.shape))
    assert not weights, f"not filled: {sorted(weights)}"
    file_io.make_directory(directory)
    task.save_to_preset(directory)
    if tokenizer and model.head == "encoder":
        tokenizer.save_to_preset(directory)
    file_io.write_whole(
        os.path.join(directory, tf1.CONFIG), config.to_json().encode() + b"\n"
    )


def _check_exportable(directory, model):
    if model.head not in HEADS:
        raise ValueError(
            f"KerasHub has no BERT with the head {model.head}; --head may be "
            f"one of {', '.join(HEADS)} that the model has"
        )
    if model.config.hidden_act not in _ACTIVATIONS:
        raise ValueError(
            f"KerasHub's BERT has hidden_act gelu only, this model "
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


def _with_head(backbone, tokenizer, model):
    import keras_hub

    if model.head == "encoder":
        return backbone
    classes = {
        "masked_lm": keras_hub.models.BertMaskedLMPreprocessor,
        "sequence_classification": (
            keras_hub.models.BertTextClassifierPreprocessor
        ),
    }
    preprocessor = tokenizer and classes[model.head](
        tokenizer=tokenizer,
        sequence_length=model.config.max_position_embeddings,
    )
    options = {"backbone": backbone, "preprocessor": preprocessor}
    if model.head == "sequence_classification":
        options["num_classes"] = variables.num_labels(model.values)
        options["dropout"] = model.config.hidden_dropout_prob
    return _models()[model.head](**options)


def _models():
    try:
        import keras_hub
    except ImportError:
        raise ValueError(
            "presets need KerasHub: pip install keras-hub"
        ) from None
    return {
        "encoder": keras_hub.models.BertBackbone,
        "masked_lm": keras_hub.models.BertMaskedLM,
        "sequence_classification": keras_hub.models.BertTextClassifier,
    }


def _rows(num_layers):
    return variables.expand(_TABLE, _KINDS, num_layers)


def _class_name(directory, file):
    return _read_json(directory, file).get("class_name")


def _read_json(directory, file):
    path = os.path.join(directory, file)
    return json_files.read(path, _FILE) if os.path.exists(path) else {}


def _head_of(directory):
    task = _class_name(directory, "task.json")
    heads = {None: "encoder"} | {
        model.__name__: head for head, model in _models().items()
    }
    if task not in heads:
        raise ValueError(
            f"{directory}: the task {task} is none of {', '.join(HEADS)}"
        )
    return heads[task]


def _read_case(directory):
    settings = _read_json(directory, "tokenizer.json").get("config") or {}
    return settings.get("lowercase", True)


def _config_of(directory, model):
    path = os.path.join(directory, tf1.CONFIG)
    if os.path.exists(path):
        return bert_config.read(path)
    settings = _read_json(directory, "config.json")["config"]
    return model_config.BertConfig(
        **{ours: settings[theirs] for ours, theirs in _SETTINGS},
        attention_probs_dropout_prob=settings["dropout"],
    )


def _values_of(model, head, directory):
    """Returns {our name: array} in our shapes."""
    backbone = model if head == "encoder" else model.backbone
    num_labels = 2
    if head == "sequence_classification":
        num_labels = model.num_classes
    rows = _rows(backbone.num_layers)
    wanted = variables.wanted(_config_of(directory, model), head, num_labels)
    ours_of = {
        theirs: (ours, turned) for ours, (theirs, turned) in rows.items()
    }
    values = {}
    for weight in model.weights:
        if weight.path not in ours_of:
            raise ValueError(
                f"{directory}: {weight.path} {list(weight.shape)} has no place "
                "in this model"
            )
        ours, is_turned = ours_of[weight.path]
        value = weight.numpy().T if is_turned else weight.numpy()
        if ours in wanted and value.size == np.prod(wanted[ours]):
            value = value.reshape(wanted[ours])
        values[ours] = np.ascontiguousarray(value)
    return values
