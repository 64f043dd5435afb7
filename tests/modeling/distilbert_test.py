"""DistilBERT's config has keys of its own, and its parameters are published."""

import json
import pathlib

import numpy as np
import pytest

from interop import variables
from modeling import families, task_heads
from modeling.distilbert import DistilBertConfig
from modeling.encoder import Encoded
from tests import tiny

_CONFIGS = pathlib.Path(__file__).parents[2] / "configs"
# As published with distilbert-base-uncased.
_PUBLISHED = {
    "activation": "gelu",
    "attention_dropout": 0.1,
    "dim": 768,
    "dropout": 0.1,
    "hidden_dim": 3072,
    "initializer_range": 0.02,
    "max_position_embeddings": 512,
    "model_type": "distilbert",
    "n_heads": 12,
    "n_layers": 6,
    "pad_token_id": 0,
    "qa_dropout": 0.1,
    "seq_classif_dropout": 0.2,
    "sinusoidal_pos_embds": False,
    "tie_weights_": True,
    "vocab_size": 30522,
}


@pytest.mark.parametrize("drop", [(), ("model_type",)])
def test_the_published_config_is_read_and_written(drop):
    values = {key: x for key, x in _PUBLISHED.items() if key not in drop}
    found = families.read_config(json.dumps(values), "config.json")
    assert type(found) is DistilBertConfig
    assert (found.hidden_size, found.num_hidden_layers) == (768, 6)
    assert found.hidden_act == "gelu_exact"
    assert found.classifier_dropout_rate == 0.2
    assert json.loads(found.to_json()) == _PUBLISHED | {
        "activation": "gelu_exact"
    }


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"dim": 33}, "dim=33 is not a multiple of n_heads=12"),
        ({"n_layers": 0}, "n_layers must be a positive"),
        ({"activation": "swish"}, "activation must be one of"),
        ({"n_layer": 7}, "n_layer is 7, as in a config of GPT"),
        ({"hidden_dims": 3}, "'hidden_dims' is no key .* 'hidden_dim'"),
    ],
)
def test_what_is_wrong_is_said_in_the_words_of_the_file(change, words):
    with pytest.raises(ValueError, match=f"^my.json: {words}"):
        families.read_config(json.dumps(_PUBLISHED | change), "my.json")


@pytest.mark.parametrize("rate", [0.0, 0.4])
def test_a_head_of_answers_drops_its_share_of_what_it_reads(rate):
    config = DistilBertConfig(
        vocab_size=9,
        hidden_size=64,
        num_attention_heads=2,
        num_hidden_layers=1,
        intermediate_size=8,
        qa_dropout=rate,
    )
    head = task_heads.SpanHead(config, "ones")
    ones = np.ones((50, 40, 64), np.float32)
    encoded = Encoded(ones, ones[:, 0])
    (kept,) = {*np.unique(head(encoded, {})["start_logits"])}
    assert kept == 64
    sums = np.array(head(encoded, {}, dropout_seed=3)["end_logits"])
    assert sums.mean() == pytest.approx(64, rel=0.02)
    wanted = np.sqrt(64 * rate / (1 - rate))
    assert sums.std() == pytest.approx(wanted, rel=0.05)


def test_there_are_66_million_parameters_and_no_segments():
    text = (_CONFIGS / "distilbert_base.json").read_text()
    config = families.read_config(text, "base")
    names = variables.wanted(config, "encoder")
    assert not [name for name in names if "token_type" in name]
    pooler = variables.family_of(config).pooler_names
    found = sum(
        int(np.prod(shape)) for n, shape in names.items() if n not in pooler
    )
    assert round(found / 1e6) == 66  # Sanh et al. 2019, table 3.
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    with torch.device("meta"):
        theirs = transformers.DistilBertModel(
            transformers.DistilBertConfig(**_PUBLISHED)
        )
    assert found == sum(x.numel() for x in theirs.parameters())


def test_segments_change_nothing():
    encoder = families.make_encoder(tiny.config("distilbert"), "ones")
    batch = tiny.batch(2)
    ids, mask = batch["input_ids"], batch["input_mask"]
    one, other = (encoder(ids, mask, x).sequence_output for x in (mask, ids))
    np.testing.assert_array_equal(one, other)
    assert encoder.depth_of("distilbert/encoder/layer_1/output/dense/k") == 2
