"""Directories as they are published, which no one version writes."""

import json

import numpy as np
import pytest
import safetensors.numpy

from interop import formats, hugging_face
from tests.interop import berts

_POSITIONS = "bert.embeddings.position_ids"


def _tensors(path):
    return safetensors.numpy.load_file(path / "model.safetensors")


def _save(path, values):
    safetensors.numpy.save_file(values, path / "model.safetensors")


def _change_config(path, **changes):
    file = path / "config.json"
    values = json.loads(file.read_text()) | changes
    kept = {name: x for name, x in values.items() if x is not None}
    file.write_text(json.dumps(kept))


def _older(name):
    name = name.replace("LayerNorm.weight", "LayerNorm.gamma")
    return name.replace("LayerNorm.bias", "LayerNorm.beta")


# The hub's bert-base-uncased names the head of masked words and has both
# (huggingface/transformers#3773).
@pytest.mark.parametrize(
    "architectures",
    [
        None,
        [],
        ["BertForMaskedLM"],
        ["BertModel"],
        ["BertForSequenceClassification"],
        ["BertForPreTraining", "BertForMaskedLM"],
    ],
)
def test_the_tensors_say_which_heads_there_are(tmp_path, caplog, architectures):
    model = berts.bert()
    hugging_face.export(str(tmp_path), model)
    _change_config(tmp_path, architectures=architectures)
    berts.assert_same(hugging_face.read(str(tmp_path)), model)
    assert not caplog.records


@pytest.mark.parametrize("name", ["BertForNextSentencePrediction", "MacBert"])
def test_an_unknown_architecture_is_named_and_the_tensors_read(
    tmp_path, caplog, name
):
    model = berts.bert()
    hugging_face.export(str(tmp_path), model)
    _change_config(tmp_path, architectures=[name])
    berts.assert_same(hugging_face.read(str(tmp_path)), model)
    assert f"saved as {name}, which is not known here" in caplog.text
    assert str(tmp_path) in caplog.text


def test_a_second_head_is_left_aside_by_name(tmp_path, caplog):
    model = berts.bert()
    hugging_face.export(str(tmp_path), model)
    classifier = {
        "classifier.weight": np.ones((3, 32), np.float32),
        "classifier.bias": np.ones(3, np.float32),
    }
    _save(tmp_path, _tensors(tmp_path) | classifier)
    berts.assert_same(hugging_face.read(str(tmp_path)), model)
    assert "2 tensors are left aside" in caplog.text
    assert "output_bias, output_weights" in caplog.text
    # Who starts from it may take any head.
    found = formats.read_weights(str(tmp_path)).values
    assert found.keys() == {
        *model.values,
        "output_weights",
        "output_bias",
    }


def test_tensors_that_bert_has_not_are_left_aside_by_name(tmp_path, caplog):
    model = berts.bert()
    hugging_face.export(str(tmp_path), model)
    _save(
        tmp_path,
        _tensors(tmp_path) | {"crf.transitions": np.ones((3, 3), np.float32)},
    )
    berts.assert_same(hugging_face.read(str(tmp_path)), model)
    assert "1 tensors are left aside" in caplog.text
    assert "crf.transitions" in caplog.text


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "float32"])
@pytest.mark.parametrize("prefix", ["bert.", ""])
def test_buffers_of_any_type_are_passed_over(tmp_path, caplog, dtype, prefix):
    model = berts.bert("pretraining" if prefix else "encoder")
    hugging_face.export(str(tmp_path), model)
    places = np.arange(16).astype(dtype)[None]
    buffers = {
        prefix + "embeddings.position_ids": places,
        prefix + "embeddings.token_type_ids": 0 * places,
    }
    _save(tmp_path, _tensors(tmp_path) | buffers)
    berts.assert_same(hugging_face.read(str(tmp_path)), model)
    assert not caplog.records


def test_a_weight_of_whole_numbers_is_refused(tmp_path):
    hugging_face.export(str(tmp_path), berts.bert())
    values = _tensors(tmp_path)
    name = "bert.pooler.dense.weight"
    _save(tmp_path, values | {name: values[name].astype(np.int8)})
    with pytest.raises(ValueError, match=f"{name} is I8, not a float"):
        hugging_face.read(str(tmp_path))


@pytest.mark.parametrize("has_prefix", [False, True])
@pytest.mark.parametrize("has_copies", [False, True])
def test_older_names_are_read(tmp_path, caplog, has_prefix, has_copies):
    model = berts.bert()
    hugging_face.export(str(tmp_path), model)
    values = {_older(name): x for name, x in _tensors(tmp_path).items()}
    assert sum(name.endswith("LayerNorm.gamma") for name in values) == 6
    values[_POSITIONS] = np.arange(16)[None]
    if has_copies:
        values |= {
            "cls.predictions.decoder.weight": values[
                "bert.embeddings.word_embeddings.weight"
            ],
            "cls.predictions.decoder.bias": values["cls.predictions.bias"],
        }
    if not has_prefix:
        values = {n.removeprefix("bert."): x for n, x in values.items()}
    _save(tmp_path, values)
    berts.assert_same(hugging_face.read(str(tmp_path)), model)
    assert not caplog.records


def test_a_copy_alone_stands_for_what_it_is_tied_to(tmp_path):
    model = berts.bert("masked_lm")
    hugging_face.export(str(tmp_path), model)
    values = _tensors(tmp_path)
    values["cls.predictions.decoder.bias"] = values.pop("cls.predictions.bias")
    _save(tmp_path, values)
    found = hugging_face.read(str(tmp_path)).values
    np.testing.assert_array_equal(
        found["cls/predictions/output_bias"],
        model.values["cls/predictions/output_bias"],
    )


def test_a_pooler_that_is_not_there_is_missed_by_heads_that_need_it(tmp_path):
    for head in ("masked_lm", "question_answering"):
        hugging_face.export(str(tmp_path), berts.bert(head))
        assert not any("pooler" in name for name in _tensors(tmp_path))
        assert hugging_face.read(str(tmp_path)).head == head
    hugging_face.export(str(tmp_path), berts.bert("sequence_classification"))
    values = _tensors(tmp_path)
    del values["bert.pooler.dense.weight"]
    _save(tmp_path, values)
    with pytest.raises(ValueError, match=r"pooler.dense.weight \[32, 32\] is"):
        hugging_face.read(str(tmp_path))


def _split(path, names=("model-1.safetensors", "model-2.safetensors")):
    """Puts tensors by turns into parts, and their index beside them."""
    values = _tensors(path)
    (path / "model.safetensors").unlink()
    parts = dict(zip(values, names * len(values), strict=False))
    for part in names:
        safetensors.numpy.save_file(
            {n: x for n, x in values.items() if parts[n] == part}, path / part
        )
    index = {"metadata": {"total_size": 1}, "weight_map": parts}
    _write_index(path, index)
    return parts


def _write_index(path, index):
    file = path / "model.safetensors.index.json"
    file.write_text(json.dumps(index))


def test_a_model_in_parts_is_read(tmp_path):
    model = berts.bert()
    hugging_face.export(str(tmp_path), model)
    _split(tmp_path)
    assert formats.recognise(str(tmp_path)) == "huggingface"
    berts.assert_same(hugging_face.read(str(tmp_path)), model)


def test_a_missing_part_is_named(tmp_path):
    hugging_face.export(str(tmp_path), berts.bert())
    _split(tmp_path)
    (tmp_path / "model-2.safetensors").unlink()
    with pytest.raises(
        ValueError, match="model-2.safetensors is missing: its index names it"
    ):
        hugging_face.read(str(tmp_path))


@pytest.mark.parametrize(
    "part", ["../m.safetensors", "/etc/passwd", "a/m.safetensors", "..", "."]
)
def test_an_index_leads_nowhere_outside_of_its_folder(tmp_path, part):
    (tmp_path / "model/a").mkdir(parents=True)
    hugging_face.export(str(tmp_path / "model"), berts.bert())
    data = (tmp_path / "model/model.safetensors").read_bytes()
    for place in ("m.safetensors", "model/a/m.safetensors"):
        (tmp_path / place).write_bytes(data)
    parts = _split(tmp_path / "model")
    parts["bert.pooler.dense.bias"] = part
    _write_index(tmp_path / "model", {"weight_map": parts})
    with pytest.raises(
        ValueError, match=f"weight_map names '{part}', which is not in its"
    ):
        hugging_face.read(str(tmp_path / "model"))


@pytest.mark.parametrize(
    ("index", "words"),
    [
        ({}, "it has no 'weight_map'"),
        ({"weight_map": []}, "weight_map must be an object"),
        ({"weight_map": {"a": 1}}, "weight_map.a must be a string"),
        ([], "it must be an object"),
    ],
)
def test_an_index_that_is_none_is_refused(tmp_path, index, words):
    hugging_face.export(str(tmp_path), berts.bert())
    _split(tmp_path)
    _write_index(tmp_path, index)
    with pytest.raises(ValueError, match=f"index.json: {words}"):
        hugging_face.read(str(tmp_path))


def test_a_pointer_to_a_file_elsewhere_is_told_from_damage(tmp_path):
    hugging_face.export(str(tmp_path), berts.bert())
    (tmp_path / "model.safetensors").write_text(
        "version https://git-lfs.github.com/spec/v1\n"
        f"oid sha256:{'0' * 64}\nsize 440449768\n"
    )
    with pytest.raises(ValueError, match="model.safetensors.*git lfs pull"):
        hugging_face.read(str(tmp_path))
