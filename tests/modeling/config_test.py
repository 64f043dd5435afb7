"""bert_config.json is read and written without loss, or refused clearly."""

import dataclasses
import json
import pathlib
from typing import ClassVar

import pytest

from modeling import config, families
from tests import tiny

_PUBLISHED = tiny.CONFIG | {
    "directionality": "bidi",
    "pooler_fc_size": 768,
    "pooler_type": "first_token_transform",
}
_CONFIGS = pathlib.Path(__file__).parents[2] / "configs"


def test_unknown_keys_survive_a_round_trip():
    read = config.BertConfig.from_json(
        json.dumps(_PUBLISHED), "bert_config.json"
    )
    assert json.loads(read.to_json()) == _PUBLISHED


@pytest.mark.parametrize("path", sorted(_CONFIGS.glob("*.json")))
def test_the_shipped_configs_are_complete(path):
    read = families.read_config(path.read_text(), str(path))
    assert json.loads(read.to_json()) == json.loads(path.read_text())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hidden_size": 33}, "hidden_size=33 is not a multiple"),
        ({"num_hidden_layers": 0}, "num_hidden_layers must be a positive"),
        ({"vocab_size": "8000"}, "vocab_size must be .* got '8000'"),
        ({"hidden_dropout_prob": 1.5}, "hidden_dropout_prob must be"),
        ({"hidden_act": "swish"}, "hidden_act must be one of .* got 'swish'"),
    ],
)
def test_an_impossible_value_is_named_with_its_file_and_key(change, words):
    with pytest.raises(ValueError, match=f"^my.json: {words}"):
        config.BertConfig.from_json(json.dumps(_PUBLISHED | change), "my.json")


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_what_is_no_config_is_refused_by_name(text):
    with pytest.raises(ValueError, match=r"^my.json.*: not"):
        config.BertConfig.from_json(text, "my.json")


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Narrow(config.BertConfig):
    """Of a family with a key of others, and a value of its own."""

    model_type: ClassVar[str] = "narrow"
    only = config.BertConfig.only | {"layer_norm_eps": 1e-5}

    embedding_size: int = 128


_NARROW = tiny.CONFIG | {"model_type": "narrow", "embedding_size": 8}


def test_a_family_has_keys_that_others_refuse():
    read = _Narrow.from_json(json.dumps(_NARROW), "my.json")
    assert (read.embedding_size, read.layer_norm_eps) == (8, 1e-5)
    assert json.loads(read.to_json()) == _NARROW
    assert not read.extra
    bare = {k: x for k, x in _NARROW.items() if k != "model_type"}
    assert _Narrow.from_json(json.dumps(bare), "my.json") == read
    with pytest.raises(ValueError, match="embedding_size must be a positive"):
        _Narrow.from_json(json.dumps(_NARROW | {"embedding_size": 0}), "my")
    with pytest.raises(ValueError, match="embedding_size is 8, as in a config"):
        config.BertConfig.from_json(json.dumps(bare), "my.json")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model_type": "bert"}, 'model_type is "bert", .* "narrow" only'),
        ({"layer_norm_eps": 1e-12}, "layer_norm_eps is 1e-12, .* 1e-05 only"),
        ({"use_task_id": True}, "use_task_id is true, as in .* of ERNIE"),
        ({"embeding_size": 8}, "'embeding_size' is no key .*'embedding_size'"),
    ],
)
def test_a_family_refuses_the_keys_of_others(change, words):
    with pytest.raises(ValueError, match=f"^my.json: {words}"):
        _Narrow.from_json(json.dumps(_NARROW | change), "my.json")
