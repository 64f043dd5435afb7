"""Conversions, proven by the libraries whose files they are."""

import dataclasses
import hashlib
import json
import os
import subprocess
import sys
import typing

import numpy as np
import pytest
import tensorflow as tf

from interop import formats, hugging_face, tf1, variables
from storage import tensors
from tests import project
from tests.interop import berts
from tools import conversion, convert_checkpoint

os.environ.setdefault("HF_HUB_OFFLINE", "1")


def _convert(source, output, to, **settings):
    return conversion.convert(
        convert_checkpoint.ConvertConfig(
            from_=str(source), to=to, output_dir=str(output), **settings
        )
    )


def test_a_model_goes_round_and_comes_back_as_it_was(tmp_path):
    for library in ("transformers", "torch", "keras_hub"):
        pytest.importorskip(library)
    model = berts.bert("sequence_classification")
    tf1.export(str(tmp_path / "a"), model)
    way = ["huggingface", "keras_hub", "tf1"]
    for number, to in enumerate(way):
        source = tmp_path / chr(ord("a") + number)
        target = tmp_path / chr(ord("b") + number)
        report = _convert(source, target, to)
        assert report["largest_difference"] < 1e-5
        assert report == json.loads((target / "conversion.json").read_text())
        assert set(report["differences"]) >= {"sequence_output", "logits"}
    assert report["computed_by"] == {"from": "KerasHub", "to": "us"}
    berts.assert_same(formats.read(str(target)), model)
    for file, digest in report["to"]["sha256"].items():
        data = (target / file).read_bytes()
        assert hashlib.sha256(data).hexdigest() == digest
    assert len(report["to"]["sha256"]) == 2


def test_a_family_that_transformers_has_not_is_computed_here(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(conversion, "_LIBRARIES", {})
    alone = dataclasses.replace(variables.DEFAULT.hugging_face, is_there=False)
    family = dataclasses.replace(variables.DEFAULT, hugging_face=alone)
    monkeypatch.setitem(variables.FAMILIES, "bert", family)
    tf1.export(str(tmp_path / "a"), berts.bert())
    report = _convert(tmp_path / "a", tmp_path / "b", "huggingface")
    by = {"from": "us", "to": "us, as transformers has no BERT"}
    assert report["computed_by"] == by


def test_a_part_of_the_heads_goes_when_asked(tmp_path):
    model = berts.bert()
    tf1.export(str(tmp_path / "a"), model)
    report = _convert(tmp_path / "a", tmp_path / "b", "tf1", head="masked_lm")
    assert report["left_out"] == [
        "cls/seq_relationship/output_bias",
        "cls/seq_relationship/output_weights",
    ]
    assert formats.read(str(tmp_path / "b")).head == "masked_lm"
    with pytest.raises(ValueError, match="--head=question_answering: the"):
        _convert(
            tmp_path / "a", tmp_path / "c", "tf1", head="question_answering"
        )


def test_a_classifiers_kind_is_told_by_the_flag(tmp_path):
    pytest.importorskip("transformers")
    model = berts.bert("token_classification")
    tf1.export(str(tmp_path / "a"), model)
    report = _convert(
        tmp_path / "a",
        tmp_path / "b",
        "huggingface",
        head="token_classification",
    )
    assert report["left_out"] == sorted(variables.DEFAULT.pooler_names)
    config = json.loads((tmp_path / "b/config.json").read_text())
    assert config["architectures"] == ["BertForTokenClassification"]


def test_what_computes_something_else_is_not_called_done(tmp_path):
    pytest.importorskip("keras_hub")
    # KerasHub knows the tanh formula only.
    model = berts.bert("encoder", hidden_act="gelu_exact")
    tf1.export(str(tmp_path / "a"), model)
    with pytest.raises(ValueError, match="computes something else"):
        _convert(tmp_path / "a", tmp_path / "b", "keras_hub")
    assert not (tmp_path / "b/conversion.json").exists()
    report = _convert(
        tmp_path / "a", tmp_path / "c", "keras_hub", max_difference=0.05
    )
    assert 1e-4 < report["largest_difference"] < 0.05


def test_the_masked_lm_of_keras_hub_is_shown_and_not_held(tmp_path):
    pytest.importorskip("keras_hub")
    tf1.export(str(tmp_path / "a"), berts.bert())
    report = _convert(
        tmp_path / "a", tmp_path / "b", "keras_hub", head="masked_lm"
    )
    assert report["not_held_to_it"] == ["masked_lm_logits"]
    assert report["largest_difference"] < 1e-5
    assert 1e-6 < report["differences"]["masked_lm_logits"] < 5e-3


def test_the_optimizer_goes_along_when_asked(tmp_path):
    model = berts.bert()
    state = {"global_step": np.int64(7), "bert/pooler/dense/bias/adam_m": 1.0}
    prefix = tf1.export(str(tmp_path / "a"), model)
    tensors.write(prefix, {**model.values, **state})
    for keep in (False, True):
        out = tmp_path / f"kept_{keep}"
        _convert(tmp_path / "a", out, "tf1", keep_optimizer=keep)
        names = {
            name for name, _ in tf.train.list_variables(tf1.find(str(out)))
        }
        assert names - model.values.keys() == (state.keys() if keep else set())
    with pytest.raises(ValueError, match="--keep_optimizer goes with"):
        _convert(
            tmp_path / "a", tmp_path / "x", "huggingface", keep_optimizer=True
        )


def test_a_directory_with_files_is_left_alone(tmp_path):
    hugging_face.export(str(tmp_path / "a"), berts.bert())
    (tmp_path / "b").mkdir()
    (tmp_path / "b/mine").write_text("")
    with pytest.raises(ValueError, match="is not empty"):
        _convert(tmp_path / "a", tmp_path / "b", "tf1")
    assert os.listdir(tmp_path / "b") == ["mine"]


def test_the_command_prints_the_largest_difference(tmp_path):
    model = berts.bert("encoder")
    prefix = tf1.export(str(tmp_path / "a"), model)
    command = [sys.executable, "-m", "tools.convert_checkpoint"]
    command += [f"--from={prefix}", "--to=tf1"]
    for status in (0, 1):
        done = subprocess.run(
            [*command, f"--output_dir={tmp_path / 'b'}"],
            env=project.environment(),
            capture_output=True,
            text=True,
        )
        assert done.returncode == status, done.stderr
        if status == 0:
            assert "largest difference 0.0e+00, computed by us" in done.stdout
    assert "error: --output_dir=" in done.stderr


def test_every_head_is_a_choice_of_the_flag():
    hints = typing.get_type_hints(convert_checkpoint.ConvertConfig)
    choices, _ = typing.get_args(hints["head"])
    assert typing.get_args(choices) == tuple(variables.HEADS)
