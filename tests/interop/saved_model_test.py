"""SavedModels answer text and ids as the model they were made of."""

import dataclasses
import json
import random
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from interop import (
    outputs,
    saved_model,
    saved_model_proof,
    tf1,
    tokenizer_files,
    variables,
)
from tests.interop import berts
from text import vocab
from tools import conversion, convert_checkpoint

_FIRST, _SECOND, _CLS, _SEP, _PAD = 5, 6, 2, 3, 0  # 中, 国, ...


def _load(directory, model, **settings):
    saved_model.export(str(directory), model, **settings)
    return tf.saved_model.load(str(directory)).signatures


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    model = berts.bert("sequence_classification", num_hidden_layers=1)
    path = tmp_path_factory.mktemp("classifier")
    return model, _load(path, model, max_seq_length=12, padding="max_length")


def test_a_fresh_process_without_our_code_serves_it(tmp_path):
    model = berts.bert(num_hidden_layers=1)
    tf1.export(str(tmp_path / "a"), model)
    command = [sys.executable, "-I", "-c", "import interop"]
    assert subprocess.run(command, stderr=subprocess.DEVNULL).returncode
    report = conversion.convert(
        convert_checkpoint.ConvertConfig(
            from_=str(tmp_path / "a"),
            to="saved_model",
            output_dir=str(tmp_path / "b"),
        )
    )
    assert report["largest_difference"] < 1e-5
    assert report["differences"].keys() == {
        "sequence_output",
        "pooled_output",
        "masked_lm_logits",
        "next_sentence_logits",
        "text sequence_output",
        "text pooled_output",
        "pairs sequence_output",
        "pairs pooled_output",
    }
    files = report["to"]["sha256"]
    assert {"saved_model.pb", "assets.extra/vocab.txt"} < files.keys()
    for name in files:
        assert (tmp_path / "b" / name).exists()


@pytest.mark.parametrize("head", list(variables.HEADS))
def test_every_head_computes_what_keras_does(head):
    model = berts.bert(head)
    served = saved_model.OfIds(model)
    features = outputs.fixed_batch(model.config)
    found = served.of_ids(
        *(tf.constant(features[name]) for name in outputs.FEATURES)
    )
    found = outputs.joined(
        {name: value.numpy() for name, value in found.items()}
    )
    wanted = outputs.of_ours(model, features)
    differences = outputs.differences(wanted, found, features)
    assert max(differences.values()) < 1e-5
    is_tuned = "logits" in wanted
    assert differences.keys() == ({"logits"} if is_tuned else wanted.keys())


def test_a_classifier_says_its_label(classifier):
    model, signatures = classifier
    texts = tf.constant(["中国 ab", "", "a 国"])
    found = signatures["serving_default"](text=texts)
    logits = found["logits"].numpy()
    names = np.array(list(berts.LABELS.values()))
    wanted = names[logits.argmax(axis=1)]
    assert [x.decode() for x in found["label"].numpy()] == wanted.tolist()
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(
        found["probabilities"],
        exponents / exponents.sum(axis=1, keepdims=True),
        rtol=1e-5,
    )
    assert found["input_ids"].shape == (3, 12)
    assert found["input_ids"][0].numpy().tolist() == (
        [_CLS, _FIRST, _SECOND, 7, 8, _SEP] + [_PAD] * 6
    )


def test_pairs_are_cut_as_google_research_cuts_them(classifier):
    _, signatures = classifier
    rng = random.Random(3)
    lengths = [(rng.randrange(14), rng.randrange(14)) for _ in range(200)]
    found = signatures["pairs"](
        text_a=tf.constant(["中" * a for a, _ in lengths]),
        text_b=tf.constant(["国" * b for _, b in lengths]),
    )["input_ids"].numpy()
    for row, (a, b) in zip(found, lengths, strict=True):
        while a + b > 12 - 3:
            if a > b:
                a -= 1
            else:
                b -= 1
        wanted = [_CLS, *[_FIRST] * a, _SEP, *[_SECOND] * b, _SEP]
        assert row.tolist() == wanted + [_PAD] * (12 - len(wanted))


def test_texts_are_padded_to_the_longest_of_a_batch(classifier, tmp_path):
    model, _ = classifier
    tokenizer_files.write(str(tmp_path), model.tokenizer)
    vocabulary = vocab.load(str(tmp_path / "vocab.txt"))
    served = saved_model._OfTexts(
        model, vocabulary, max_seq_length=16, padding="longest"
    )
    for texts, length in ((["中国", "a"], 4), (["", ""], 2), (["中" * 99], 16)):
        found = served.of_texts(tf.constant(texts))
        assert found["input_ids"].shape == (len(texts), length)


def test_without_a_vocabulary_it_takes_ids(tmp_path):
    model = dataclasses.replace(berts.bert("encoder"), tokenizer={})
    signatures = _load(tmp_path, model)
    assert set(signatures) == {"ids", "serving_default"}
    assert not (tmp_path / "assets.extra/vocab.txt").exists()
    config = convert_checkpoint.ConvertConfig(
        from_="a", to="saved_model", output_dir="b"
    )
    report = {
        "from": {"format": "tf1"},
        "head": "encoder",
        "num_tensors": 1,
        "computed_by": {"from": "us", "to": "us"},
        "largest_difference": 0.0,
        "differences": {"sequence_output": 0.0},
        "not_held_to_it": [],
        "left_out": [],
    }
    assert "takes token ids only" in conversion.describe(config, report)


def test_other_answers_are_not_called_done(tmp_path, monkeypatch):
    model = berts.bert("encoder")
    batch = outputs.fixed_batch(model.config)
    before = outputs.of_ours(model, batch)

    def ask(directory, questions, libraries):
        answer = {name: value + 0.5 for name, value in before.items()}
        ids = np.zeros((len(saved_model_proof.TEXTS), 4), np.int32)
        texts = {"input_ids": ids, "input_mask": ids}
        return [answer, texts, texts][: len(questions)]

    monkeypatch.setattr(saved_model_proof, "ask", ask)
    extra = tmp_path / "assets.extra"
    extra.mkdir()
    tokenizer_files.write(str(extra), model.tokenizer)
    settings = {"max_seq_length": 4, "padding": "longest"}
    (extra / "serving.json").write_text(json.dumps(settings))
    with pytest.raises(ValueError, match="has other input_ids than"):
        saved_model_proof.differences(str(tmp_path), model, batch, before)
    no_text = dataclasses.replace(model, tokenizer={})
    found = saved_model_proof.differences(str(tmp_path), no_text, batch, before)
    assert min(found.values()) == pytest.approx(0.5)


def test_what_does_not_fit_is_refused(tmp_path):
    model = berts.bert("encoder")
    for number in (2, 17):
        with pytest.raises(ValueError, match=f"--max_seq_length={number} must"):
            saved_model.export(str(tmp_path), model, max_seq_length=number)
    files = {"vocab.txt": berts.vocabulary(102)}
    large = dataclasses.replace(model, tokenizer=files)
    with pytest.raises(ValueError, match="102 rows are more than vocab_size"):
        saved_model.export(str(tmp_path / "large"), large)
    with pytest.raises(ValueError, match="goes with --to=saved_model"):
        convert_checkpoint.ConvertConfig(
            from_="a", to="tf1", output_dir="b", max_seq_length=9
        )


@pytest.mark.slow
def test_what_is_no_saved_model_cannot_be_served(tmp_path):
    with pytest.raises(
        ValueError, match="(?s)cannot be served: .*does not exist"
    ):
        saved_model_proof.ask(str(tmp_path), [])
