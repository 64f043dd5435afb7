"""ALBERT, as google-research, Hugging Face and KerasHub name it.

Our names are those of google-research/albert.
"""

from collections.abc import Iterable

from interop.families.bert import BERT
from interop.families.family import (
    Family,
    HuggingFace,
    KerasHub,
    Layers,
    Place,
    Row,
    under,
)
from modeling.albert import AlbertConfig


def _rows(parts: Iterable[tuple[str, str, str, str, str]]) -> tuple[Row, ...]:
    return tuple(
        Row(
            f"bert/encoder/transformer/group_{{i}}/inner_group_{{j}}/{ours}",
            kind,
            shape,
            "albert.encoder.albert_layer_groups.{i}.albert_layers.{j}."
            f"{hugging_face}",
            f"group_{{i}}_inner_layer_{{j}}/{keras_hub}",
        )
        for ours, kind, shape, hugging_face, keras_hub in parts
    )


_ATTENTION = _rows(
    (
        *(
            (
                f"attention_1/self/{name}",
                "dense",
                "WW",
                f"attention.{name}",
                f"self_attention_layer/{name}",
            )
            for name in ("query", "key", "value")
        ),
        (
            "attention_1/output/dense",
            "dense",
            "WW",
            "attention.dense",
            "self_attention_layer/attention_output",
        ),
        (
            "LayerNorm",
            "norm",
            "W",
            "attention.LayerNorm",
            "self_attention_layer_norm",
        ),
    )
)
_NETWORK = _rows(
    (
        (
            "ffn_1/intermediate/dense",
            "dense",
            "WI",
            "ffn",
            "feedforward_intermediate_dense",
        ),
        (
            "ffn_1/intermediate/output/dense",
            "dense",
            "IW",
            "ffn_output",
            "feedforward_output_dense",
        ),
        (
            "LayerNorm_1",
            "norm",
            "W",
            "full_layer_layer_norm",
            "feedforward_layer_norm",
        ),
    )
)


def _places(config: AlbertConfig, of_layer: int) -> list[Place]:
    numbers = sorted({groups[of_layer] for groups in config.groups})
    return [
        {"i": number, "j": inner}
        for number in numbers
        for inner in range(config.inner_group_num)
    ]


_MASKED_LM = tuple(
    row._replace(
        hugging_face=row.hugging_face.removeprefix("cls.").replace(
            "transform.", ""
        )
    )
    for row in BERT.heads["masked_lm"]
)
_SENTENCE_ORDER = (
    Row(
        "cls/seq_relationship/",
        "logits",
        "NW",
        "sop_classifier.classifier",
        None,
    ),
)


def _unfit(config: AlbertConfig) -> str:
    if config.embedding_size == config.hidden_size:
        return "without a projection of its embeddings, which this one lacks"
    if config.parameter_sharing in ("attention", "ffn"):
        return f"with parameter_sharing={config.parameter_sharing}"
    return ""


def _unfit_for_keras_hub(config: AlbertConfig) -> str:
    if config.num_hidden_layers % config.num_hidden_groups:
        return (
            f"with {config.num_hidden_layers} layers in "
            f"{config.num_hidden_groups} groups"
        )
    return _unfit(config)


ALBERT = Family(
    title="ALBERT",
    scope="bert/",
    embeddings=under("albert", BERT.embeddings, ours="bert"),
    projection=(
        Row(
            "bert/encoder/embedding_hidden_mapping_in",
            "dense",
            "EW",
            "albert.encoder.embedding_hidden_mapping_in",
            "embedding_projection",
        ),
    ),
    layers=(
        Layers(_ATTENTION, lambda config: _places(config, 0)),
        Layers(_NETWORK, lambda config: _places(config, 1)),
    ),
    pooler=(
        Row(
            "bert/pooler/dense", "dense", "WW", "albert.pooler", "pooled_dense"
        ),
    ),
    heads={
        **BERT.heads,
        "masked_lm": _MASKED_LM,
        "pretraining": _MASKED_LM + _SENTENCE_ORDER,
    },
    hugging_face=HuggingFace(
        prefix="albert.",
        architectures={
            "encoder": "AlbertModel",
            "masked_lm": "AlbertForMaskedLM",
            "pretraining": "AlbertForPreTraining",
            "sequence_classification": "AlbertForSequenceClassification",
            "token_classification": "AlbertForTokenClassification",
            "multiple_choice": "AlbertForMultipleChoice",
            "question_answering": "AlbertForQuestionAnswering",
        },
        # What is written beside a model is the vocabulary of a WordPiece.
        tokenizer="BertTokenizer",
        without_pooler=BERT.hugging_face.without_pooler,
        activations=BERT.hugging_face.activations,
        tied={
            "predictions.decoder.weight": (
                "albert.embeddings.word_embeddings.weight"
            ),
            "predictions.decoder.bias": "predictions.bias",
        },
        buffers=BERT.hugging_face.buffers,
        pair_logits="sop_logits",
        unfit=_unfit,
    ),
    keras_hub=KerasHub(
        names={
            "encoder": "AlbertBackbone",
            "masked_lm": "AlbertMaskedLM",
            "sequence_classification": "AlbertTextClassifier",
        },
        tokenizer="AlbertTokenizer",
        settings=(
            *BERT.keras_hub.settings,
            ("embedding_size", "embedding_dim"),
            ("num_hidden_groups", "num_groups"),
            ("inner_group_num", "num_inner_repetitions"),
        ),
        # It computes every GELU of the encoder by tanh.
        activations=BERT.keras_hub.activations,
        unfit=_unfit_for_keras_hub,
    ),
)
