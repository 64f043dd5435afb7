"""bert_config.json is read and written without loss, or refused clearly."""

import json
import pathlib

import pytest

from modeling import config
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
    read = config.BertConfig.from_json(path.read_text(), str(path))
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
