"""RoBERTa, as Hugging Face and KerasHub name it.

Checkpoints of TensorFlow have BERT's names below roberta/.
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

# A classifier begins with a dense layer where BERT has its pooler.
_DENSE_OF_CLASSIFIER = "classifier.dense"
_OF_KERAS_HUB = {
    "token_embedding": "embeddings/token_embedding",
    "position_embedding": "embeddings/position_embedding",
    # It has no segments: the one row has to be zero.
    "segment_embedding": None,
}


_DENSE, _NORM, _BIAS = BERT.heads["masked_lm"]

ROBERTA = Family(
    title="RoBERTa",
    scope="roberta/",
    embeddings=tuple(
        row._replace(
            keras_hub=_OF_KERAS_HUB.get(str(row.keras_hub), row.keras_hub)
        )
        for row in under("roberta", BERT.embeddings)
    ),
    layers=tuple(Layers(under("roberta", x.rows)) for x in BERT.layers),
    pooler=under("roberta", BERT.pooler),
    heads={
        **{h: rows for h, rows in BERT.heads.items() if h != "pretraining"},
        "masked_lm": (
            _DENSE._replace(hugging_face="lm_head.dense"),
            _NORM._replace(hugging_face="lm_head.layer_norm"),
            _BIAS._replace(hugging_face="lm_head"),
        ),
        "sequence_classification": (
            Row("", "logits", "NW", "classifier.out_proj", "logits"),
        ),
    },
    hugging_face=HuggingFace(
        prefix="roberta.",
        architectures={
            "encoder": "RobertaModel",
            "masked_lm": "RobertaForMaskedLM",
            "sequence_classification": "RobertaForSequenceClassification",
            "token_classification": "RobertaForTokenClassification",
            "multiple_choice": "RobertaForMultipleChoice",
            "question_answering": "RobertaForQuestionAnswering",
        },
        tokenizer="BertTokenizer",
        decoder="RobertaForCausalLM",
        without_pooler=BERT.hugging_face.without_pooler,
        activations=EXACT_GELU,
        tied={
            "lm_head.decoder.weight": (
                "roberta.embeddings.word_embeddings.weight"
            ),
            "lm_head.decoder.bias": "lm_head.bias",
        },
        buffers=BERT.hugging_face.buffers,
        poolers={"sequence_classification": _DENSE_OF_CLASSIFIER},
    ),
    keras_hub=KerasHub(
        names={
            "encoder": "RobertaBackbone",
            "masked_lm": "RobertaMaskedLM",
            "sequence_classification": "RobertaTextClassifier",
        },
        tokenizer="RobertaTokenizer",
        settings=tuple(
            (ours, theirs)
            for ours, theirs in BERT.keras_hub.settings
            if ours != "type_vocab_size"
        ),
        activations=("gelu_exact",),
        without_pooler=("encoder", "masked_lm"),
    ),
)
