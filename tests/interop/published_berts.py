"""The layouts of bert-base-uncased and bert-base-chinese on the hub."""

_CONFIG = {
    "architectures": ["BertForMaskedLM"],
    "attention_probs_dropout_prob": 0.1,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "hidden_size": 768,
    "initializer_range": 0.02,
    "intermediate_size": 3072,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 512,
    "model_type": "bert",
    "num_attention_heads": 12,
    "num_hidden_layers": 12,
    "pad_token_id": 0,
    "type_vocab_size": 2,
}
CONFIGS = {
    "bert-base-uncased": _CONFIG
    | {
        "gradient_checkpointing": False,
        "position_embedding_type": "absolute",
        "transformers_version": "4.6.0.dev0",
        "use_cache": True,
        "vocab_size": 30522,
    },
    "bert-base-chinese": _CONFIG
    | {
        "directionality": "bidi",
        "pooler_fc_size": 768,
        "pooler_num_attention_heads": 12,
        "pooler_num_fc_layers": 3,
        "pooler_size_per_head": 128,
        "pooler_type": "first_token_transform",
        "vocab_size": 21128,
    },
}
WORDS = "bert.embeddings.word_embeddings.weight"


def shapes(rows, wide=768, inner=3072):
    """The tensors of the hub's files, by their names there."""
    found = {
        WORDS: (rows, wide),
        "bert.embeddings.position_embeddings.weight": (512, wide),
        "bert.embeddings.token_type_embeddings.weight": (2, wide),
        "cls.predictions.bias": (rows,),
        "cls.seq_relationship.weight": (2, wide),
        "cls.seq_relationship.bias": (2,),
    }
    dense = {
        "bert.pooler.dense": (wide, wide),
        "cls.predictions.transform.dense": (wide, wide),
    }
    norms = ["bert.embeddings", "cls.predictions.transform"]
    for number in range(12):
        layer = f"bert.encoder.layer.{number}."
        for name in ("query", "key", "value"):
            dense[f"{layer}attention.self.{name}"] = (wide, wide)
        dense[layer + "attention.output.dense"] = (wide, wide)
        dense[layer + "intermediate.dense"] = (inner, wide)
        dense[layer + "output.dense"] = (wide, inner)
        norms += [layer + "attention.output", layer + "output"]
    for name, shape in dense.items():
        found |= {name + ".weight": shape, name + ".bias": shape[:1]}
    for name in norms:
        found[name + ".LayerNorm.gamma"] = (wide,)
        found[name + ".LayerNorm.beta"] = (wide,)
    return found


def our_name(name):
    """What google-research/bert calls a tensor."""
    name = name.replace(".layer.", ".layer_").replace(".", "/")
    if name.startswith("cls/seq_relationship"):
        name = name.replace("weight", "output_weights")
    if name.startswith(("cls/seq_relationship", "cls/predictions/bias")):
        return name.replace("/bias", "/output_bias")
    name = name.replace("_embeddings/weight", "_embeddings")
    return name.replace("/weight", "/kernel")


def vocabulary(rows):
    special = ["[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    first = ["[PAD]", *(f"[unused{i}]" for i in range(1, 100)), *special]
    characters = [chr(code) for code in range(0x4E00, 0x4E00 + 10_000)]
    words = [f"w{i}" for i in range(rows - len(first) - len(characters))]
    return "".join(f"{row}\n" for row in [*first, *characters, *words])
