"""ELECTRA, as google-research and Hugging Face name it.

The encoder's names here are those of google-research/electra, in whose files
the generator, of masked words, stands beside the discriminator.
"""

from interop.families.bert import BERT
from interop.families.family import (
    EXACT_GELU,
    Family,
    HuggingFace,
    KerasHub,
    Layers,
    Row,
    Shapes,
    under,
)
from modeling.electra import HEAD_WIDTH, ElectraConfig

_LAYER_0 = "electra/encoder/layer_0/"


def _config(shapes: Shapes) -> ElectraConfig:
    vocab_size, embedding_size = shapes["electra/embeddings/word_embeddings"]
    (width,) = shapes[_LAYER_0 + "output/LayerNorm/beta"]
    layers = {
        name.split("/")[2]
        for name in shapes
        if name.startswith("electra/encoder/layer_")
    }
    return ElectraConfig(
        vocab_size=vocab_size,
        embedding_size=embedding_size,
        hidden_size=width,
        num_hidden_layers=len(layers),
        num_attention_heads=max(1, width // HEAD_WIDTH),
        intermediate_size=shapes[_LAYER_0 + "intermediate/dense/bias"][0],
        max_position_embeddings=shapes[
            "electra/embeddings/position_embeddings"
        ][0],
        type_vocab_size=shapes["electra/embeddings/token_type_embeddings"][0],
    )


_DENSE, _NORM, _BIAS = BERT.heads["masked_lm"]

ELECTRA = Family(
    title="ELECTRA",
    scope="electra/",
    embeddings=under("electra", BERT.embeddings),
    projection=(
        Row(
            "electra/embeddings_project",
            "dense",
            "EW",
            "electra.embeddings_project",
            None,
        ),
    ),
    layers=tuple(Layers(under("electra", x.rows)) for x in BERT.layers),
    pooler=under("electra", BERT.pooler),
    heads={
        **BERT.heads,
        "pretraining": (
            Row(
                "discriminator_predictions/dense",
                "dense",
                "WW",
                "discriminator_predictions.dense",
                None,
            ),
            Row(
                "discriminator_predictions/dense_1",
                "dense",
                "W1",
                "discriminator_predictions.dense_prediction",
                None,
            ),
        ),
        "masked_lm": (
            _DENSE._replace(hugging_face="generator_predictions.dense"),
            _NORM._replace(hugging_face="generator_predictions.LayerNorm"),
            _BIAS._replace(hugging_face="generator_lm_head"),
        ),
        "sequence_classification": (
            Row("", "logits", "NW", "classifier.out_proj", None),
        ),
    },
    hugging_face=HuggingFace(
        prefix="electra.",
        architectures={
            "encoder": "ElectraModel",
            "masked_lm": "ElectraForMaskedLM",
            "pretraining": "ElectraForPreTraining",
            "sequence_classification": "ElectraForSequenceClassification",
            "token_classification": "ElectraForTokenClassification",
            "multiple_choice": "ElectraForMultipleChoice",
            "question_answering": "ElectraForQuestionAnswering",
        },
        tokenizer="ElectraTokenizer",
        without_pooler=(
            "encoder",
            "masked_lm",
            "pretraining",
            "token_classification",
            "question_answering",
        ),
        activations=EXACT_GELU,
        tied={
            "generator_lm_head.weight": (
                "electra.embeddings.word_embeddings.weight"
            ),
        },
        buffers=BERT.hugging_face.buffers,
        poolers={
            "sequence_classification": "classifier.dense",
            "multiple_choice": "sequence_summary.summary",
        },
    ),
    keras_hub=KerasHub(
        unfit=lambda config: (
            "with the exact GELU and without a pooler, as this one is"
        ),
    ),
    checkpoint_names=(
        ("cls/predictions/transform/dense/", "generator_predictions/dense/"),
        (
            "cls/predictions/transform/LayerNorm/",
            "generator_predictions/LayerNorm/",
        ),
        ("cls/predictions/output_bias", "generator_predictions/output_bias"),
    ),
    second_encoders={"masked_lm": "generator/"},
    config_of=_config,
)
