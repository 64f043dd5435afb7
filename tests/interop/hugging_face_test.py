"""Directories of transformers, both ways; transformers is the judge."""

import dataclasses
import json
import os

import numpy as np
import pytest
import safetensors.numpy

from interop import hugging_face, outputs, variables
from tests.interop import berts

os.environ.setdefault("HF_HUB_OFFLINE", "1")


@pytest.mark.parametrize("head", variables.HEADS)
@pytest.mark.parametrize("activation", ["gelu", "gelu_exact"])
def test_transformers_computes_what_we_do(tmp_path, head, activation):
    transformers = pytest.importorskip("transformers")
    model = berts.bert(head, hidden_act=activation)
    hugging_face.export(str(tmp_path), model)
    batch = outputs.fixed_batch(model.config)
    theirs = outputs.of_transformers(str(tmp_path), batch, head)
    ours = outputs.of_ours(model, batch)
    found = outputs.differences(ours, theirs, batch)
    assert found.keys() == theirs.keys() and len(found) >= 1 + (
        head != "encoder"
    )
    assert max(found.values()) < 1e-5, found
    if head in variables.LABELLED:
        config = transformers.AutoConfig.from_pretrained(tmp_path)
        assert config.id2label == {int(i): x for i, x in berts.LABELS.items()}


@pytest.mark.parametrize("head", variables.HEADS)
def test_what_transformers_saves_is_read(tmp_path, head):
    transformers = pytest.importorskip("transformers")
    config = transformers.BertConfig(
        vocab_size=50,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=40,
        num_labels=2 if head == "question_answering" else 3,
        initializer_range=0.2,
    )
    model_class = {
        "encoder": transformers.AutoModel,
        "masked_lm": transformers.AutoModelForMaskedLM,
        "pretraining": transformers.AutoModelForPreTraining,
        "sequence_classification": (
            transformers.AutoModelForSequenceClassification
        ),
        "token_classification": transformers.AutoModelForTokenClassification,
        "multiple_choice": transformers.AutoModelForMultipleChoice,
        "question_answering": transformers.AutoModelForQuestionAnswering,
    }[head]
    # Parts of a few kilobytes, so that there is an index.
    model_class.from_config(config).save_pretrained(
        tmp_path, max_shard_size="20KB" if head == "pretraining" else "5GB"
    )
    model = hugging_face.read(str(tmp_path))
    assert model.head == head
    batch = outputs.fixed_batch(model.config)
    found = outputs.differences(
        outputs.of_ours(model, batch),
        outputs.of_transformers(str(tmp_path), batch, head),
        batch,
    )
    assert max(found.values()) < 1e-5, found


@pytest.mark.parametrize("head", variables.HEADS)
def test_a_round_trip_changes_no_bit(tmp_path, head):
    model = berts.bert(head)
    hugging_face.export(str(tmp_path), model)
    has_no_pooler = head in (
        "masked_lm",
        "token_classification",
        "question_answering",
    )
    berts.assert_same(
        hugging_face.read(str(tmp_path)),
        model,
        but=variables.DEFAULT.pooler_names if has_no_pooler else (),
    )


@pytest.mark.parametrize("is_older", [False, True])
def test_a_file_of_pytorch_is_read_without_running_it(
    tmp_path, monkeypatch, is_older
):
    monkeypatch.chdir(tmp_path)
    torch = pytest.importorskip("torch")
    model = berts.bert()
    hugging_face.export(str(tmp_path), model)
    tensors = {}
    for name, value in _tensors(tmp_path).items():
        if is_older:
            name = name.replace("LayerNorm.weight", "LayerNorm.gamma")
            name = name.replace("LayerNorm.bias", "LayerNorm.beta")
        tensors[name] = torch.tensor(value)
    tensors["bert.embeddings.position_ids"] = torch.arange(16)[None]
    tensors["cls.predictions.decoder.weight"] = tensors[
        "bert.embeddings.word_embeddings.weight"
    ]
    os.remove(tmp_path / "model.safetensors")
    path = tmp_path / "pytorch_model.bin"
    torch.save(tensors, path)
    berts.assert_same(hugging_face.read(str(tmp_path)), model)
    torch.save({"a": _Dangerous()}, path)
    with pytest.raises(ValueError, match="pytorch_model.bin holds other obj"):
        hugging_face.read(str(tmp_path))
    assert not (tmp_path / "ran").exists()


class _Dangerous:
    def __reduce__(self):
        return os.mkdir, ("ran",)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_narrow_floats_become_float32(tmp_path, dtype):
    torch = pytest.importorskip("torch")
    from safetensors import torch as safetensors_torch

    hugging_face.export(str(tmp_path), berts.bert())
    tensors = {
        name: torch.tensor(value).to(
            {"bfloat16": torch.bfloat16, "float16": torch.float16}[dtype]
        )
        for name, value in _tensors(tmp_path).items()
    }
    safetensors_torch.save_file(tensors, tmp_path / "model.safetensors")
    found = hugging_face.read(str(tmp_path)).values
    np.testing.assert_array_equal(
        found["bert/embeddings/word_embeddings"],
        tensors["bert.embeddings.word_embeddings.weight"].float().numpy(),
    )
    assert {value.dtype for value in found.values()} == {np.dtype("float32")}


def _tensors(path):
    return safetensors.numpy.load_file(path / "model.safetensors")


def _save(path, tensors):
    safetensors.numpy.save_file(tensors, path / "model.safetensors")


_KEY = "bert.encoder.layer.1.attention.self.key.weight"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda t: t.pop(_KEY), rf"{_KEY} \[32, 32\] is missing"),
        (
            lambda t: t.update({_KEY: np.zeros((32, 8), np.float32)}),
            rf"{_KEY} has shape \[32, 8\], the config wants \[32, 32\]",
        ),
        (
            lambda t: t.update({"bert.adapter.up": np.zeros(3, np.float32)}),
            "bert.adapter.up have no place in an encoder of 2 layers",
        ),
        (
            lambda t: t.update(
                {"cls.predictions.decoder.bias": np.ones(101, np.float32)}
            ),
            r"decoder.bias \[101\] is not equal to cls.predictions.bias",
        ),
    ],
)
def test_a_tensor_that_does_not_fit_is_named(tmp_path, change, error):
    hugging_face.export(str(tmp_path), berts.bert())
    tensors = _tensors(tmp_path)
    change(tensors)
    _save(tmp_path, tensors)
    with pytest.raises(ValueError, match=error):
        hugging_face.read(str(tmp_path))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        (
            {"intermediate_size": 80},
            r"layer.0.intermediate.dense.weight has shape \[64, 32\], the "
            r"config wants \[80, 32\]",
        ),
        ({"layer_norm_eps": 1e-5}, "layer_norm_eps is 1e-05"),
        ({"model_type": "xlnet"}, 'model_type is "xlnet"'),
        ({"position_embedding_type": "relative_key"}, "relative_key"),
        ({"architectures": "BertModel"}, "architectures must be a list"),
        ({"hidden_act": "silu"}, "hidden_act"),
    ],
)
def test_a_config_that_does_not_fit_is_refused(tmp_path, changes, error):
    hugging_face.export(str(tmp_path), berts.bert())
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(ValueError, match=error):
        hugging_face.read(str(tmp_path))


def test_a_file_that_ends_too_early_is_refused(tmp_path):
    hugging_face.export(str(tmp_path), berts.bert())
    path = tmp_path / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(ValueError, match="model.safetensors is damaged"):
        hugging_face.read(str(tmp_path))


def test_labels_that_do_not_fit_are_refused(tmp_path):
    model = berts.bert("sequence_classification")
    config = variables.with_extra(model.config, id2label={"0": "a", "1": "b"})
    with pytest.raises(ValueError, match="2 labels, output_weights has 3"):
        hugging_face.export(
            str(tmp_path), dataclasses.replace(model, config=config)
        )


def test_keys_of_the_config_that_we_do_not_know_are_kept(tmp_path):
    model = berts.bert()
    config = variables.with_extra(model.config, pooler_type="first_token")
    hugging_face.export(
        str(tmp_path), dataclasses.replace(model, config=config)
    )
    found = hugging_face.read(str(tmp_path)).config
    assert dict(found.extra) == {"pooler_type": "first_token"}
