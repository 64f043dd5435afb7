"""RoFormer, as Hugging Face names it.

Our names are those of BERT, as in the checkpoints of its authors. These have no
pooler, and transformers no head for pairs of sentences.
"""

from interop.families.bert import BERT
from interop.families.family import (
    EXACT_GELU,
    Family,
    HuggingFace,
    Layers,
    Row,
    under,
)

ROFORMER = Family(
    title="RoFormer",
    scope="bert/",
    embeddings=tuple(
        row
        for row in under("roformer", BERT.embeddings, ours="bert")
        if "position" not in row.ours
    ),
    layers=tuple(
        Layers(under("roformer", x.rows, ours="bert")) for x in BERT.layers
    ),
    pooler=under("roformer", BERT.pooler, ours="bert"),
    heads={
        **BERT.heads,
        "sequence_classification": (
            Row("", "logits", "NW", "classifier.out_proj", None),
        ),
    },
    hugging_face=HuggingFace(
        prefix="roformer.",
        architectures={
            "encoder": "RoFormerModel",
            "masked_lm": "RoFormerForMaskedLM",
            "sequence_classification": "RoFormerForSequenceClassification",
            "token_classification": "RoFormerForTokenClassification",
            "question_answering": "RoFormerForQuestionAnswering",
        },
        tokenizer="BertTokenizer",
        decoder="RoFormerForCausalLM",
        without_pooler=(
            "encoder",
            "masked_lm",
            "token_classification",
            "question_answering",
        ),
        activations=EXACT_GELU,
        tied={
            "cls.predictions.decoder.weight": (
                "roformer.embeddings.word_embeddings.weight"
            ),
            "cls.predictions.decoder.bias": "cls.predictions.bias",
        },
        buffers=("encoder.embed_positions.weight",),
        poolers={"sequence_classification": "classifier.dense"},
    ),
)
