"""Configs of other models, of slips of the pen and damaged ones are refused."""

import json

import pytest

from modeling import config
from tests import tiny

# As published on the hub, or by Google, with what tells them from a BERT.
_OTHERS = {
    "albert-base-v2": (
        {
            "model_type": "albert",
            "embedding_size": 128,
            "hidden_size": 768,
            "inner_group_num": 1,
            "num_hidden_groups": 1,
            "num_memory_blocks": 0,
            "net_structure_type": 0,
            "gap_size": 0,
            "down_scale_factor": 1,
            "vocab_size": 30000,
        },
        "ALBERT",
    ),
    "electra-small-discriminator": (
        {
            "model_type": "electra",
            "embedding_size": 128,
            "hidden_size": 256,
            "num_attention_heads": 4,
            "intermediate_size": 1024,
            "summary_type": "first",
            "vocab_size": 30522,
        },
        "ALBERT or ELECTRA",
    ),
    "roberta-base": (
        {
            "model_type": "roberta",
            "layer_norm_eps": 1e-5,
            "max_position_embeddings": 514,
            "type_vocab_size": 1,
            "vocab_size": 50265,
        },
        "layer_norm_eps is 1e-05, this BERT has 1e-12 only",
    ),
    "distilbert-base-uncased": (
        {
            "model_type": "distilbert",
            "activation": "gelu",
            "dim": 768,
            "hidden_dim": 3072,
            "n_heads": 12,
            "n_layers": 6,
            "sinusoidal_pos_embds": False,
            "vocab_size": 30522,
        },
        "DistilBERT",
    ),
    "gpt2-medium": (
        {
            "model_type": "gpt2",
            "n_embd": 1024,
            "n_head": 16,
            "n_layer": 24,
            "vocab_size": 50257,
        },
        "GPT",
    ),
    "t5-large": ({"model_type": "t5", "d_model": 1024, "vocab_size": 9}, "T5"),
    "mobilebert-uncased": (
        {
            "model_type": "mobilebert",
            "embedding_size": 128,
            "hidden_size": 512,
            "true_hidden_size": 128,
            "num_attention_heads": 4,
            "vocab_size": 30522,
        },
        "it is of another model than BERT",
    ),
    "deberta-base": (
        {
            "model_type": "deberta",
            "relative_attention": True,
            "layer_norm_eps": 1e-7,
            "vocab_size": 50265,
        },
        "DeBERTa",
    ),
    "nezha-cn-base": (
        {
            "model_type": "nezha",
            "max_relative_position": 64,
            "vocab_size": 21128,
        },
        "NEZHA",
    ),
    "ernie-2.0-base-en": (
        {"model_type": "ernie", "use_task_id": True, "vocab_size": 30522},
        "ERNIE",
    ),
}


def _read(**values):
    return config.BertConfig.from_json(json.dumps(values), "my.json")


@pytest.mark.parametrize("name", _OTHERS)
def test_another_model_is_refused_by_its_name_or_its_keys(name):
    values, words = _OTHERS[name]
    rest = {key: x for key, x in values.items() if key != "model_type"}
    with pytest.raises(ValueError, match="^my.json: "):
        _read(**values)
    # Older versions of transformers, and Google, wrote no model_type.
    with pytest.raises(ValueError, match="^my.json: ") as error:
        _read(**rest)
    assert words in str(error.value)
    kind = values["model_type"]
    with pytest.raises(ValueError, match=f'model_type is "{kind}", this BERT'):
        _read(**tiny.CONFIG, model_type=kind)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("position_embedding_type", "relative_key"),
        ("position_embedding_type", "relative_key_query"),
        ("add_cross_attention", True),
        ("tie_word_embeddings", False),
        ("model_type", ["bert"]),
        ("layer_norm_eps", None),
    ],
)
def test_a_bert_that_computes_otherwise_is_refused(key, value):
    with pytest.raises(ValueError, match=f"^my.json: {key} is .* only$"):
        _read(**tiny.CONFIG, **{key: value})


def test_keys_of_others_that_change_nothing_are_let_through():
    values = tiny.CONFIG | {
        "embedding_size": tiny.WIDTH,
        "n_layers": 2,
        "relative_attention": False,
        "use_task_id": None,
        "generator_hidden_size": 0,
    }
    found = _read(**values)
    assert json.loads(found.to_json()) == values
    assert config.unknown_keys(found) == []


@pytest.mark.parametrize(
    ("slip", "key"),
    [
        ("num_hidden_layer", "num_hidden_layers"),
        ("num_hiden_layers", "num_hidden_layers"),
        ("hidden_sizes", "hidden_size"),
        ("Hidden_size", "hidden_size"),
        ("num_attention_head", "num_attention_heads"),
        ("intermidiate_size", "intermediate_size"),
        ("max_position_embedding", "max_position_embeddings"),
        ("type_vocab_sizes", "type_vocab_size"),
        ("initialiser_range", "initializer_range"),
        ("hidden_dropout_probs", "hidden_dropout_prob"),
        ("attention_prob_dropout_prob", "attention_probs_dropout_prob"),
    ],
)
def test_a_key_that_is_nearly_one_of_ours_is_refused(slip, key):
    values = {name: x for name, x in tiny.CONFIG.items() if name != key}
    with pytest.raises(ValueError, match=f"'{slip}' is no key .* '{key}'"):
        _read(**values, **{slip: 1})


def test_a_key_that_nobody_knows_is_kept_and_named():
    values = tiny.CONFIG | {"my_notes": "x", "a_b": 1, "pooler_type": "y"}
    found = _read(**values)
    assert config.unknown_keys(found) == ["a_b", "my_notes"]
    assert json.loads(found.to_json()) == values


# What transformers 2 to 5 have written into the configs of Google's models.
_PUBLISHED = {
    "architectures": ["BertForMaskedLM"],
    "classifier_dropout": None,
    "directionality": "bidi",
    "gradient_checkpointing": False,
    "layer_norm_eps": 1e-12,
    "model_type": "bert",
    "output_past": True,
    "pad_token_id": 0,
    "pooler_fc_size": 768,
    "pooler_num_attention_heads": 12,
    "pooler_num_fc_layers": 3,
    "pooler_size_per_head": 128,
    "pooler_type": "first_token_transform",
    "position_embedding_type": "absolute",
    "tie_word_embeddings": True,
    "torch_dtype": "float32",
    "transformers_version": "4.6.0.dev0",
    "use_cache": True,
}


def test_no_key_that_is_published_is_unknown():
    assert config.unknown_keys(_read(**tiny.CONFIG, **_PUBLISHED)) == []


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("hidden_act", ["gelu", "linear"], "hidden_act must be one of"),
        ("hidden_act", {"name": "gelu"}, "hidden_act must be one of"),
        ("hidden_act", None, "hidden_act must be one of"),
        ("vocab_size", True, "vocab_size must be a positive integer"),
        ("vocab_size", 101.0, "vocab_size must be a positive integer"),
        ("vocab_size", None, "vocab_size must be a positive integer"),
        ("hidden_size", -32, "hidden_size must be a positive integer"),
        ("hidden_size", [32], "hidden_size must be a positive integer"),
        ("num_attention_heads", 5, "hidden_size=32 is not a multiple"),
        ("initializer_range", float("nan"), "initializer_range must be a"),
        ("initializer_range", "0.02", "initializer_range must be a number"),
        ("hidden_dropout_prob", True, "hidden_dropout_prob must be a number"),
        ("hidden_dropout_prob", 1, "hidden_dropout_prob must be a number"),
    ],
)
def test_a_value_of_no_use_is_named_with_its_key(key, value, words):
    with pytest.raises(ValueError, match=f"^my.json: {words}"):
        _read(**tiny.CONFIG | {key: value})


_TEXT = json.dumps(tiny.CONFIG)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (_TEXT.encode("utf-16"), "UTF-16 and not UTF-8; .* iconv"),
        (b'{"vocab_size": 8, "name": "\xba\xc3"}', "not UTF-8 at byte 27"),
        (_TEXT[:-1].encode() + b",}", "not JSON"),
        (_TEXT[:40].encode(), "not JSON"),
        (b"# a comment\n" + _TEXT.encode(), "line 1, column 1: not JSON"),
        (b"", "line 1, column 1: not JSON"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"vocab_size": ' + b"1" * 5000 + b"}", "not JSON"),
        (b'["vocab_size"]', "not a BERT config"),
        (b'"vocab_size"', "not a BERT config"),
        (b"null", "not a BERT config"),
    ],
)
def test_a_damaged_file_is_named_with_the_place(data, words):
    with pytest.raises(ValueError, match=f"^my.json.*{words}"):
        config.BertConfig.from_json(data, "my.json")


def test_a_byte_order_mark_is_no_damage():
    found = config.BertConfig.from_json(_TEXT.encode("utf-8-sig"), "my.json")
    assert found == tiny.config()
