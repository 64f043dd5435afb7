"""Every family's files, both ways; transformers and KerasHub are the judges."""

import dataclasses
import os

import numpy as np
import pytest
import tensorflow as tf

from interop import (
    formats,
    hugging_face,
    keras_hub,
    network,
    outputs,
    saved_model,
    tf1,
    variables,
)
from modeling import families
from tests import tiny
from tests.interop import berts

os.environ.setdefault("HF_HUB_OFFLINE", "1")

OTHERS = [name for name in families.FAMILIES if name != "bert"]
_CASES = [
    (name, head) for name in OTHERS for head in variables.FAMILIES[name].heads
]
_HUGGING_FACE_CASES = [
    (name, head)
    for name in OTHERS
    for head in variables.FAMILIES[name].hugging_face.architectures
]
_KERAS_HUB_CASES = [
    (name, head)
    for name in OTHERS
    for head in variables.FAMILIES[name].keras_hub.names
]


def _model(name, head, **changes):
    """A model without what the classes of transformers have no place for."""
    model = berts.model(tiny.config(name, **changes), head)
    if head not in model.family.hugging_face.without_pooler:
        return model
    but = model.family.pooler_names
    values = {n: x for n, x in model.values.items() if n not in but}
    return dataclasses.replace(model, values=values)


@pytest.mark.parametrize(("name", "head"), _HUGGING_FACE_CASES)
def test_transformers_computes_what_we_do(tmp_path, name, head):
    pytest.importorskip("transformers")
    model = _model(name, head)
    hugging_face.export(str(tmp_path), model)
    berts.assert_same(formats.read(str(tmp_path)), model)
    batch = outputs.fixed_batch(model.config)
    theirs = outputs.of_transformers(str(tmp_path), batch, head, model.family)
    found = outputs.differences(outputs.of_ours(model, batch), theirs, batch)
    assert found.keys() == theirs.keys()
    assert len(found) >= (1 if head == "encoder" else 2)
    print(name, head, found)
    assert max(found.values()) < 1e-5, found


@pytest.mark.parametrize("name", families.FAMILIES)
def test_every_layer_gives_what_that_of_transformers_gives(tmp_path, name):
    pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    model = _model(name, "encoder", num_hidden_layers=3)
    hugging_face.export(str(tmp_path), model)
    batch = outputs.fixed_batch(model.config)
    loaded = model.family.hugging_face.classes()["encoder"].from_pretrained(
        str(tmp_path)
    )
    with torch.no_grad():
        out = loaded.float().eval()(
            **outputs.features_of_transformers(loaded, batch),
            output_hidden_states=True,
        )
    encoded = network.Network(model).encode(
        *(batch[feature] for feature in outputs.FEATURES)
    )
    ours = [encoded.embedding_output, *encoded.layer_outputs]
    assert len(ours) == len(out.hidden_states) == 4
    is_real = batch["input_mask"].astype(bool)
    for one, other in zip(ours, out.hidden_states, strict=True):
        np.testing.assert_allclose(
            np.asarray(one)[is_real], other.numpy()[is_real], atol=1e-5
        )


def _for_keras_hub(model):
    """Returns a model without what KerasHub has no place for."""
    config, rows = model.config, keras_hub._rows(model.config, model.head)
    values = {
        name: np.copy(x) if name in rows else np.zeros_like(x)
        for name, x in model.values.items()
    }
    for name, value in values.items():
        value[: len(value) - len(variables.read_rows(config, name, value))] = 0
    return dataclasses.replace(model, values=values)


@pytest.mark.parametrize(("name", "head"), _KERAS_HUB_CASES)
def test_keras_hub_computes_what_we_do(tmp_path, name, head):
    pytest.importorskip("keras_hub")
    model = _for_keras_hub(berts.model(tiny.config(name), head))
    keras_hub.export(str(tmp_path), model)
    read = formats.read(str(tmp_path))
    theirs = model.family.keras_hub
    lost = model.family.pooler_names if head in theirs.without_pooler else ()
    if name in ("albert", "roberta"):  # Theirs take no vocab.txt.
        read = dataclasses.replace(read, tokenizer=model.tokenizer)
    berts.assert_same(read, model, but=lost)
    batch = outputs.fixed_batch(model.config)
    computed = outputs.of_keras_hub(str(tmp_path), batch, head, model.family)
    found = outputs.differences(outputs.of_ours(model, batch), computed, batch)
    print(name, head, found)
    # The heads of its masked LMs have a GELU and an epsilon of their own.
    of_head = found.pop("masked_lm_logits", 0)
    assert found and max(found.values()) < 1e-5, found
    assert of_head < 5e-3


@pytest.mark.parametrize(("name", "head"), _CASES)
def test_a_checkpoint_there_and_back_changes_no_bit(tmp_path, name, head):
    model = berts.model(tiny.config(name), head)
    tf1.export(str(tmp_path), model)
    found = tf1.read(str(tmp_path), head=head)
    berts.assert_same(found, model)
    assert found.config == model.config


@pytest.mark.parametrize("name", families.FAMILIES)
@pytest.mark.parametrize("asked", families.FAMILIES)
def test_a_config_of_another_family_is_refused_by_its_name(name, asked):
    text = tiny.config(name).to_json()
    if name == "bert":
        text = text.replace("{", '{"model_type": "bert",', 1)
    asked_config = families.FAMILIES[asked].config
    if name == asked:
        assert asked_config.from_json(text, "my.json")
        return
    with pytest.raises(ValueError, match="^my.json: .*(is|as in)"):
        asked_config.from_json(text, "my.json")


@pytest.mark.parametrize("name", OTHERS)
def test_a_server_answers_ids_and_texts_as_we_do(tmp_path, name):
    model = berts.model(tiny.config(name), "sequence_classification")
    saved_model.export(str(tmp_path), model)
    batch = outputs.fixed_batch(model.config)
    ours = outputs.of_ours(model, batch)["logits"]
    served = tf.saved_model.load(str(tmp_path))
    features = {n: tf.constant(batch[n]) for n in outputs.FEATURES}
    found = served.signatures["ids"](**features)
    np.testing.assert_allclose(found["logits"], ours, atol=1e-5)
    pair = {"text_a": tf.constant(["中国 a"]), "text_b": tf.constant(["国"])}
    answer = served.signatures["pairs"](**pair)
    np.testing.assert_array_equal(answer["input_ids"], [[2, 5, 6, 7, 3, 6, 3]])
    last = max(model.config.type_vocab_size - 1, 0)
    segments = np.minimum([[0, 0, 0, 0, 0, 1, 1]], last)
    wanted = outputs.of_ours(
        model,
        {
            "input_ids": np.asarray(answer["input_ids"]),
            "input_mask": np.asarray(answer["input_mask"]),
            "segment_ids": segments.astype(np.int32),
        },
    )
    np.testing.assert_allclose(answer["logits"], wanted["logits"], atol=1e-5)
