"""The models that others train masked words with, of one shape.

A shape is what a bert_config.json says; without `model_type` it is a BERT's.
"""

# {family: its class of masked words, and what its label of a pair is called}
_HUGGING_FACE = {
    "bert": ("BertForPreTraining", "next_sentence_label"),
    "albert": ("AlbertForPreTraining", "sentence_order_label"),
    "electra": ("ElectraForMaskedLM", None),
}


def hugging_face(shape):
    """Returns a model of transformers', and what its label of pairs is called.

    The label's name is None where the model has no head for pairs.
    """
    import transformers

    shape = dict(shape)
    family = shape.pop("model_type", "bert")
    if family not in _HUGGING_FACE:
        raise ValueError(f"no model of transformers' for {family} here")
    name, pair_label = _HUGGING_FACE[family]
    # Their "gelu" is the exact one.
    act = {"gelu": "gelu_new", "gelu_exact": "gelu"}[shape["hidden_act"]]
    config = transformers.AutoConfig.for_model(
        family, **shape | {"hidden_act": act}
    )
    return getattr(transformers, name)(config), pair_label


def keras_hub(shape):
    """Returns KerasHub's model of masked words; of pairs it has none."""
    import keras
    import keras_hub

    sizes = {
        "num_layers": shape["num_hidden_layers"],
        "num_heads": shape["num_attention_heads"],
        "hidden_dim": shape["hidden_size"],
        "intermediate_dim": shape["intermediate_size"],
        "dropout": shape["hidden_dropout_prob"],
        "max_sequence_length": shape["max_position_embeddings"],
    }
    words, family = shape["vocab_size"], shape.get("model_type", "bert")
    if family == "bert":
        return keras_hub.models.BertMaskedLM(
            keras_hub.models.BertBackbone(vocabulary_size=words, **sizes)
        )
    sizes["embedding_dim"] = shape["embedding_size"]
    if family == "albert":
        return keras_hub.models.AlbertMaskedLM(
            keras_hub.models.AlbertBackbone(vocabulary_size=words, **sizes)
        )
    if family != "electra":
        raise ValueError(f"no model of KerasHub's for {family} here")
    # KerasHub has the encoder alone: its own head of masked words stands on it.
    backbone = keras_hub.models.ElectraBackbone(vocab_size=words, **sizes)
    places = keras.Input((None,), dtype="int32", name="mask_positions")
    logits = keras_hub.layers.MaskedLMHead(
        token_embedding=backbone.token_embedding,
        intermediate_activation="gelu",
    )(backbone.output["sequence_output"], mask_positions=places)
    return keras.Model(backbone.input | {"mask_positions": places}, logits)


def tf_models(shape):
    """Returns the pretrainer of tf-models-official, which is a BERT's."""
    if "embedding_size" in shape:
        raise ValueError("tf-models' pretrainer is a BERT's")
    from official.nlp.modeling import layers, models, networks

    return models.BertPretrainerV2(
        encoder_network=networks.BertEncoderV2(
            vocab_size=shape["vocab_size"],
            hidden_size=shape["hidden_size"],
            num_layers=shape["num_hidden_layers"],
            num_attention_heads=shape["num_attention_heads"],
            max_sequence_length=shape["max_position_embeddings"],
            type_vocab_size=shape["type_vocab_size"],
            inner_dim=shape["intermediate_size"],
        ),
        classification_heads=[
            layers.ClassificationHead(
                inner_dim=shape["hidden_size"],
                num_classes=2,
                name="next_sentence",
            )
        ],
    )
