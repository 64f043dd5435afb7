"""google-research/electra's files: two encoders, and no config at all."""

import json
import pathlib

import numpy as np
import pytest

from interop import (
    bert_config,
    formats,
    hugging_face,
    keras_hub,
    tf1,
    variables,
)
from modeling import families
from storage import tensors
from tests import tiny
from tests.interop import berts

_CONFIGS = pathlib.Path(__file__).parents[2] / "configs"
# A discriminator 64 wide, as google-research gives each head 64; its
# generator is 32 wide and has one layer.
_WIDE = {"hidden_size": 64, "num_attention_heads": 1}
_NARROW = {"num_hidden_layers": 1, "num_attention_heads": 1}


def _released(tmp_path):
    """Writes a checkpoint as google-research/electra; returns both models."""
    large = berts.model(tiny.config("electra", **_WIDE), "pretraining")
    small = berts.model(tiny.config("electra", **_NARROW), "masked_lm")
    values = {n: x for n, x in large.values.items() if "pooler" not in n}
    for name, value in small.values.items():
        if name.startswith("cls/predictions/"):
            name = name.replace(
                "cls/predictions/transform/", "cls/predictions/"
            )
            name = name.replace("cls/predictions/", "generator_predictions/")
        elif name.startswith("electra/embeddings/"):
            continue
        else:
            name = name.replace("electra/", "generator/", 1)
        if "pooler" not in name:
            values[name] = value
    values["generator_predictions/output_bias/adam_m"] = np.ones(101)
    tensors.write(
        str(tmp_path / "electra_small"),
        {n: np.asarray(x, np.float32) for n, x in values.items()},
    )
    return large, small


def test_the_discriminator_is_read_without_a_config(tmp_path, caplog):
    large, _ = _released(tmp_path)
    found = formats.read(str(tmp_path))
    assert found.head == "pretraining"
    assert found.config == large.config
    pooler = found.family.pooler_names
    assert found.values.keys() == large.values.keys() - set(pooler)
    for name, value in found.values.items():
        np.testing.assert_array_equal(value, large.values[name])
    assert "generator/encoder" in caplog.text
    # What a training starts from is the same.
    weights = formats.read_weights(str(tmp_path), large.config).values
    assert weights.keys() == found.values.keys()


def test_the_head_of_masked_words_is_the_generators(tmp_path):
    large, small = _released(tmp_path)
    found = formats.read(str(tmp_path), head="masked_lm")
    assert (found.head, found.config) == ("masked_lm", small.config)
    words = large.family.words
    for name, value in found.values.items():
        is_shared = name.startswith("electra/embeddings/")
        owner = large if is_shared else small
        np.testing.assert_array_equal(value, owner.values[name])
    assert words in found.values
    assert found.state.keys() == {"cls/predictions/output_bias/adam_m"}
    # Alone, under the names of google-research, and back.
    tf1.export(str(tmp_path / "alone"), found)
    names = tensors.shapes(str(tmp_path / "alone/bert_model.ckpt"))
    assert "generator_predictions/LayerNorm/gamma" in names
    assert not [n for n in names if n.startswith("cls/")]
    again = formats.read(str(tmp_path / "alone"))
    assert again.head == "masked_lm"
    berts.assert_same(again, found)


def test_electras_weights_are_no_berts(tmp_path):
    _released(tmp_path)
    with pytest.raises(ValueError, match="is of ELECTRA, as its encoder is un"):
        formats.read_weights(str(tmp_path), tiny.config())
    with pytest.raises(ValueError, match="the config is of RoBERTa"):
        formats.read_weights(str(tmp_path), tiny.config("roberta"))
    with pytest.raises(ValueError, match="no file .*none.json"):
        tf1.read(str(tmp_path), config_file=str(tmp_path / "none.json"))
    tf1.export(str(tmp_path / "bert"), berts.bert())
    with pytest.raises(ValueError, match="is of BERT or ALBERT or"):
        formats.read_weights(str(tmp_path / "bert"), tiny.config("electra"))


@pytest.mark.parametrize("name", ["bert_config.json", "config.json"])
def test_gelu_is_the_exact_one_in_every_file(tmp_path, name):
    config = tiny.config("electra")
    for theirs, ours in (("gelu", "gelu_exact"), ("gelu_new", "gelu_new")):
        values = json.loads(config.to_json()) | {"hidden_act": theirs}
        (tmp_path / name).write_text(json.dumps(values))
        assert bert_config.read(str(tmp_path / name)).hidden_act == ours


def test_electra_small_has_the_published_number_of_parameters():
    text = (_CONFIGS / "electra_small.json").read_text()
    config = families.read_config(text, "small")
    family = variables.family_of(config)
    found = sum(
        int(np.prod(shape))
        for name, shape in variables.wanted(config, "encoder").items()
        if name not in family.pooler_names
    )
    width = config.hidden_size
    found += width * width + width + width + 1  # The discriminator's head.
    assert round(found / 1e6) == 14  # Table 1 of Clark et al. 2020.
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    with torch.device("meta"):
        shape = json.loads(text) | {"hidden_act": "gelu"}
        theirs = transformers.ElectraConfig(**shape)
        model = transformers.ElectraForPreTraining(theirs)
    assert found == sum(x.numel() for x in model.parameters())


def test_keras_hub_computes_another_electra(tmp_path):
    model = berts.model(tiny.config("electra"), "encoder")
    with pytest.raises(ValueError, match="no ELECTRA with the exact GELU and"):
        keras_hub.export(str(tmp_path), model)


def test_an_electra_of_transformers_does_not_start_a_bert(tmp_path):
    hugging_face.export(
        str(tmp_path), berts.model(tiny.config("electra"), "masked_lm")
    )
    found = formats.read_weights(str(tmp_path), tiny.config())
    assert found.config.model_type == "electra"
    roberta = berts.model(tiny.config("roberta"), "masked_lm")
    with pytest.raises(ValueError, match="--head=pretraining: RoBERTa has no"):
        variables.with_head(roberta, "pretraining")
