"""BERT, as google-research, Hugging Face and KerasHub name it.

Our names are those of google-research/bert.
"""

from interop.families.family import Family, HuggingFace, KerasHub, Layers, Row

_EMBEDDINGS = (
    Row(
        "bert/embeddings/word_embeddings",
        "embedding",
        "VE",
        "bert.embeddings.word_embeddings",
        "token_embedding",
    ),
    Row(
        "bert/embeddings/token_type_embeddings",
        "embedding",
        "TE",
        "bert.embeddings.token_type_embeddings",
        "segment_embedding",
    ),
    Row(
        "bert/embeddings/position_embeddings",
        "embedding",
        "PE",
        "bert.embeddings.position_embeddings",
        "position_embedding",
    ),
    Row(
        "bert/embeddings/LayerNorm",
        "norm",
        "E",
        "bert.embeddings.LayerNorm",
        "embeddings_layer_norm",
    ),
)
_LAYER = tuple(
    Row(
        f"bert/encoder/layer_{{i}}/{ours}",
        kind,
        shape,
        f"bert.encoder.layer.{{i}}.{ours.replace('/', '.')}",
        f"transformer_layer_{{i}}/{keras_hub}",
    )
    for ours, kind, shape, keras_hub in (
        ("attention/self/query", "dense", "WW", "self_attention_layer/query"),
        ("attention/self/key", "dense", "WW", "self_attention_layer/key"),
        ("attention/self/value", "dense", "WW", "self_attention_layer/value"),
        (
            "attention/output/dense",
            "dense",
            "WW",
            "self_attention_layer/attention_output",
        ),
        (
            "attention/output/LayerNorm",
            "norm",
            "W",
            "self_attention_layer_norm",
        ),
        ("intermediate/dense", "dense", "WI", "feedforward_intermediate_dense"),
        ("output/dense", "dense", "IW", "feedforward_output_dense"),
        ("output/LayerNorm", "norm", "W", "feedforward_layer_norm"),
    )
)
_POOLER = (
    Row(
        "bert/pooler/dense", "dense", "WW", "bert.pooler.dense", "pooled_dense"
    ),
)
_MASKED_LM = (
    Row(
        "cls/predictions/transform/dense",
        "dense",
        "WE",
        "cls.predictions.transform.dense",
        "mlm_head/intermediate_dense",
    ),
    Row(
        "cls/predictions/transform/LayerNorm",
        "norm",
        "E",
        "cls.predictions.transform.LayerNorm",
        "mlm_head/intermediate_layer_norm",
    ),
    Row("cls/predictions/", "bias", "V", "cls.predictions", "mlm_head"),
)
_NEXT_SENTENCE = (
    Row("cls/seq_relationship/", "logits", "NW", "cls.seq_relationship", None),
)
_CLASSIFIER = (Row("", "logits", "NW", "classifier", "logits"),)
_ANSWER = (Row("cls/squad/", "logits", "NW", "qa_outputs", None),)


BERT = Family(
    title="BERT",
    scope="bert/",
    embeddings=_EMBEDDINGS,
    layers=(Layers(_LAYER),),
    pooler=_POOLER,
    heads={
        "encoder": (),
        "masked_lm": _MASKED_LM,
        "pretraining": _MASKED_LM + _NEXT_SENTENCE,
        "sequence_classification": _CLASSIFIER,
        "token_classification": _CLASSIFIER,
        "multiple_choice": _CLASSIFIER,
        "question_answering": _ANSWER,
    },
    hugging_face=HuggingFace(
        prefix="bert.",
        architectures={
            "encoder": "BertModel",
            "masked_lm": "BertForMaskedLM",
            "pretraining": "BertForPreTraining",
            "sequence_classification": "BertForSequenceClassification",
            "token_classification": "BertForTokenClassification",
            "multiple_choice": "BertForMultipleChoice",
            "question_answering": "BertForQuestionAnswering",
        },
        tokenizer="BertTokenizer",
        decoder="BertLMHeadModel",
        without_pooler=(
            "masked_lm",
            "token_classification",
            "question_answering",
        ),
        # Their "gelu" is the exact function. That of google-research/bert, and
        # ours, is an approximation by tanh.
        activations=(
            ("gelu_exact", "gelu"),
            ("gelu", "gelu_new"),
            ("gelu", "gelu_pytorch_tanh"),
        ),
        tied={
            "cls.predictions.decoder.weight": (
                "bert.embeddings.word_embeddings.weight"
            ),
            "cls.predictions.decoder.bias": "cls.predictions.bias",
        },
        buffers=("embeddings.position_ids", "embeddings.token_type_ids"),
    ),
    keras_hub=KerasHub(
        names={
            "encoder": "BertBackbone",
            "masked_lm": "BertMaskedLM",
            "sequence_classification": "BertTextClassifier",
        },
        tokenizer="BertTokenizer",
        settings=(
            ("vocab_size", "vocabulary_size"),
            ("hidden_size", "hidden_dim"),
            ("num_hidden_layers", "num_layers"),
            ("num_attention_heads", "num_heads"),
            ("intermediate_size", "intermediate_dim"),
            ("hidden_dropout_prob", "dropout"),
            ("max_position_embeddings", "max_sequence_length"),
            ("type_vocab_size", "num_segments"),
        ),
        # It computes every GELU of the encoder by tanh.
        activations=("gelu", "gelu_new", "gelu_pytorch_tanh", "gelu_exact"),
    ),
)
