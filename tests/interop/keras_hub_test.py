"""Presets of KerasHub, both ways; KerasHub is the judge."""

import dataclasses

import numpy as np
import pytest

from interop import keras_hub, outputs, variables
from tests.interop import berts

library = pytest.importorskip("keras_hub")


@pytest.mark.parametrize("head", variables.DEFAULT.keras_hub.names)
def test_keras_hub_computes_what_we_do_and_a_round_trip_changes_no_bit(
    tmp_path, head
):
    model = berts.bert(head)
    keras_hub.export(str(tmp_path), model)
    berts.assert_same(keras_hub.read(str(tmp_path)), model)
    batch = outputs.fixed_batch(model.config)
    theirs = outputs.of_keras_hub(str(tmp_path), batch, head)
    found = outputs.differences(outputs.of_ours(model, batch), theirs, batch)
    assert len(found) == (2 if head == "encoder" else 3)
    # The head of their masked LM has another GELU and another epsilon.
    of_head = found.pop("masked_lm_logits", 0)
    assert max(found.values()) < 1e-5, found
    assert of_head < 5e-3


def test_a_classifier_with_its_tokenizer_takes_strings(tmp_path):
    model = berts.bert("sequence_classification")
    keras_hub.export(str(tmp_path), model)
    classifier = library.models.BertTextClassifier.from_preset(str(tmp_path))
    ids = classifier.preprocessor("中国 A")["token_ids"]
    np.testing.assert_array_equal(ids[:5], [2, 5, 6, 7, 3])
    assert classifier.predict(["中国 A", "b"], verbose=0).shape == (2, 3)


def test_what_keras_hub_saves_is_read(tmp_path):
    backbone = library.models.BertBackbone(
        vocabulary_size=50,
        num_layers=1,
        num_heads=4,
        hidden_dim=32,
        intermediate_dim=48,
        max_sequence_length=40,
        num_segments=3,
    )
    task = library.models.BertTextClassifier(backbone=backbone, num_classes=5)
    task.save_to_preset(str(tmp_path))
    model = keras_hub.read(str(tmp_path))
    assert model.head == "sequence_classification"
    assert model.config.type_vocab_size == 3
    batch = outputs.fixed_batch(model.config)
    found = outputs.differences(
        outputs.of_ours(model, batch),
        outputs.of_keras_hub(str(tmp_path), batch, model.head),
        batch,
    )
    assert max(found.values()) < 1e-5, found


def test_what_keras_hub_has_not_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no BERT with the head pretraining"):
        keras_hub.export(str(tmp_path), berts.bert())
    with pytest.raises(ValueError, match="gelu only, this model relu"):
        keras_hub.export(
            str(tmp_path), berts.bert("encoder", hidden_act="relu")
        )
    model = berts.bert("encoder")
    values = {
        name: value
        for name, value in model.values.items()
        if name not in variables.DEFAULT.pooler_names
    }
    with pytest.raises(ValueError, match=r"pooler/dense/bias \[32\] is miss"):
        keras_hub.export(
            str(tmp_path), dataclasses.replace(model, values=values)
        )


def test_damage_and_another_config_are_refused(tmp_path):
    model = berts.bert("encoder")
    keras_hub.export(str(tmp_path), model)
    config = dataclasses.replace(model.config, num_hidden_layers=3)
    (tmp_path / "bert_config.json").write_text(config.to_json())
    with pytest.raises(ValueError, match=r"layer_2/.* is missing"):
        keras_hub.read(str(tmp_path))
    path = tmp_path / "model.weights.h5"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ValueError, match="cannot be loaded"):
        keras_hub.read(str(tmp_path))
