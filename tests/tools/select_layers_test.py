"""Smaller models of some of a model's layers."""

import numpy as np
import pytest
import tensorflow as tf

from interop import formats, outputs, tf1
from interop.network import Network
from modeling import families
from tests import tiny
from tests.pretraining import taught
from tools import select_layers


def select(model, layers, output, **settings):
    return select_layers.select(
        select_layers.SelectConfig(
            from_=str(model), layers=layers, output_dir=str(output), **settings
        )
    )


def features(segment_ids=None):
    batch = tiny.batch(3)
    zeros = np.zeros_like(batch["input_ids"])
    batch["segment_ids"] = zeros if segment_ids is None else segment_ids
    names = ("input_ids", "input_mask", "segment_ids")
    return {name: tf.constant(batch[name]) for name in names}


OWN_LAYERS = [
    name for name in families.FAMILIES if not tiny.config(name).shares_layers
]


@pytest.mark.parametrize("name", OWN_LAYERS)
def test_its_layers_are_those_and_all_else_is_as_it_was(tmp_path, name):
    model = taught.write_teacher(tmp_path, name, num_hidden_layers=5)
    told = select(model, "0,2,4", tmp_path / "small")
    assert "3 of 5 layers, 0,2,4; lost are" in told
    assert told.endswith("those of layer 1, layer 3")
    before, after = (formats.read(str(x)) for x in (model, tmp_path / "small"))
    assert after.config.num_hidden_layers == 3 and after.head == before.head
    for name, value in after.values.items():
        for number in (2, 1):
            name = name.replace(f"/layer_{number}/", f"/layer_{2 * number}/")
        assert np.array_equal(value, before.values[name]), name


def test_a_distilbert_of_all_layers_computes_what_the_bert_did(tmp_path):
    """transformers' DistilBERT does so, too."""
    model = taught.write_teacher(tmp_path)
    told = select(model, "0,1", tmp_path / "same", family="distilbert")
    lost = told.partition("those of ")[2].split(", ")
    assert sorted(lost) == sorted(
        [
            "bert/embeddings/token_type_embeddings",
            "bert/pooler/dense/kernel",
            "bert/pooler/dense/bias",
            "cls/seq_relationship/output_weights",
            "cls/seq_relationship/output_bias",
        ]
    )
    before, after = (formats.read(str(x)) for x in (model, tmp_path / "same"))
    assert after.head == "masked_lm"
    # The formula by tanh, which a DistilBERT does not call "gelu".
    assert after.config.hidden_act == "gelu_new"
    wanted, found = (Network(x)(**features()) for x in (before, after))
    for name in ("sequence_output", "masked_lm_logits"):
        np.testing.assert_allclose(found[name], wanted[name], atol=1e-5)
    segments = np.ones((3, tiny.NUM_TOKENS), np.int32)
    other = Network(before)(**features(segments))["sequence_output"]
    assert np.abs(other - wanted["sequence_output"]).max() > 0.01


def test_transformers_computes_the_same(tmp_path):
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from interop import hugging_face

    model = taught.write_teacher(tmp_path)
    select(model, "0,1", tmp_path / "same", family="distilbert")
    found = []
    for path, name in ((model, "bert"), (tmp_path / "same", "distilbert")):
        portable = formats.read(str(path), head="masked_lm")
        if name == "bert":
            kept = {k: x for k, x in portable.values.items() if "seq" not in k}
            portable = type(portable)(
                config=portable.config, head="masked_lm", values=kept
            )
        hugging_face.export(str(tmp_path / f"hf_{name}"), portable)
        its_class = portable.family.hugging_face.classes()["masked_lm"]
        theirs = its_class.from_pretrained(str(tmp_path / f"hf_{name}")).eval()
        given = outputs.features_of_transformers(
            theirs, {k: x.numpy() for k, x in features().items()}
        )
        with torch.no_grad():
            found.append(theirs(**given).logits.numpy())
    is_token = features()["input_mask"].numpy() > 0
    np.testing.assert_allclose(
        found[0][is_token], found[1][is_token], atol=1e-5
    )


def test_what_cannot_be_selected_is_refused(tmp_path):
    model = taught.write_teacher(tmp_path, num_hidden_layers=3)
    for layers in ("0,3", "1,0", "1,1", "-1,0"):
        with pytest.raises(ValueError, match="rising numbers from 0 to 2, as "):
            select(model, layers, tmp_path / "no")
    with pytest.raises(ValueError, match="^--layers=0,x is not a list of num"):
        select(model, "0,x", tmp_path / "no")
    with pytest.raises(ValueError, match="share their weights; fewer of them"):
        shared = taught.write_teacher(tmp_path, "albert")
        select(shared, "0", tmp_path / "no")
    roberta = taught.write_teacher(tmp_path, "roberta")
    with pytest.raises(ValueError, match="is a roberta with the head masked_l"):
        select(roberta, "0", tmp_path / "no", family="distilbert")
    whole = tf1.read(model)
    classes = {
        k: x for k, x in whole.values.items() if not k.startswith("cls/")
    } | {
        "output_weights": np.ones((2, tiny.WIDTH), np.float32),
        "output_bias": np.ones(2, np.float32),
    }
    tf1.export(
        str(tmp_path / "tuned"),
        type(whole)(
            config=whole.config, head="sequence_classification", values=classes
        ),
    )
    with pytest.raises(ValueError, match="head sequence_classification; wante"):
        select(tmp_path / "tuned", "0", tmp_path / "no", family="distilbert")
    select(model, "0", tmp_path / "small")
    with pytest.raises(ValueError, match="small is not empty: name another"):
        select(model, "0", tmp_path / "small")
