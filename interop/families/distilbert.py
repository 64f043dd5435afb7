"""DistilBERT, as Hugging Face and KerasHub name it.

Checkpoints of TensorFlow have BERT's names below distilbert/.
"""

from interop.families.bert import BERT
from interop.families.family import (
    EXACT_GELU,
    Family,
    HuggingFace,
    KerasHub,
    Layers,
    Row,
    under,
)

_IN_A_LAYER = {
    "attention.self.query": "attention.q_lin",
    "attention.self.key": "attention.k_lin",
    "attention.self.value": "attention.v_lin",
    "attention.output.dense": "attention.out_lin",
    "attention.output.LayerNorm": "sa_layer_norm",
    "intermediate.dense": "ffn.lin1",
    "output.dense": "ffn.lin2",
    "output.LayerNorm": "output_layer_norm",
}
_LAYER = "distilbert.encoder.layer.{i}."
_HEADS_OF_SEQUENCES = ("sequence_classification", "multiple_choice")


def _embedding(row: Row) -> Row:
    if row.kind != "embedding":
        return row
    return row._replace(
        keras_hub=f"token_and_position_embedding/{row.keras_hub}"
    )


def _in_a_layer(row: Row) -> Row:
    theirs = _IN_A_LAYER[row.hugging_face.removeprefix(_LAYER)]
    return row._replace(
        hugging_face=f"distilbert.transformer.layer.{{i}}.{theirs}"
    )


_WORDS, _SEGMENTS, _POSITIONS, _EMBEDDINGS_NORM = BERT.embeddings
_DENSE, _NORM, _BIAS = BERT.heads["masked_lm"]

DISTILBERT = Family(
    title="DistilBERT",
    scope="distilbert/",
    embeddings=tuple(
        map(
            _embedding,
            under("distilbert", (_WORDS, _POSITIONS, _EMBEDDINGS_NORM)),
        )
    ),
    layers=tuple(
        Layers(tuple(map(_in_a_layer, under("distilbert", x.rows))))
        for x in BERT.layers
    ),
    pooler=under("distilbert", BERT.pooler),
    heads={
        **{h: rows for h, rows in BERT.heads.items() if h != "pretraining"},
        "masked_lm": (
            _DENSE._replace(hugging_face="vocab_transform"),
            _NORM._replace(hugging_face="vocab_layer_norm"),
            _BIAS._replace(hugging_face="vocab_projector"),
        ),
    },
    hugging_face=HuggingFace(
        prefix="distilbert.",
        architectures={
            "encoder": "DistilBertModel",
            "masked_lm": "DistilBertForMaskedLM",
            "sequence_classification": "DistilBertForSequenceClassification",
            "token_classification": "DistilBertForTokenClassification",
            "multiple_choice": "DistilBertForMultipleChoice",
            "question_answering": "DistilBertForQuestionAnswering",
        },
        tokenizer="DistilBertTokenizer",
        without_pooler=("encoder", *BERT.hugging_face.without_pooler),
        activations=EXACT_GELU,
        tied={
            "vocab_projector.weight": (
                "distilbert.embeddings.word_embeddings.weight"
            ),
        },
        buffers=BERT.hugging_face.buffers,
        poolers=dict.fromkeys(_HEADS_OF_SEQUENCES, "pre_classifier"),
    ),
    keras_hub=KerasHub(
        names={
            "encoder": "DistilBertBackbone",
            "masked_lm": "DistilBertMaskedLM",
            "sequence_classification": "DistilBertTextClassifier",
        },
        tokenizer="DistilBertTokenizer",
        settings=tuple(
            (ours, theirs)
            for ours, theirs in BERT.keras_hub.settings
            if ours != "type_vocab_size"
        ),
        activations=("gelu_exact",),
        without_pooler=("encoder", "masked_lm"),
    ),
)
