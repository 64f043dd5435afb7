"""A file of ONNX computes what the model does."""

import importlib.util
import os

import pytest

from interop import onnx_model, outputs, tf1, variables
from tests.interop import berts
from tools import conversion, convert_checkpoint


@pytest.mark.slow
@pytest.mark.parametrize("head", list(variables.HEADS))
def test_onnxruntime_computes_what_we_do(head, tmp_path):
    pytest.importorskip("tf2onnx")
    pytest.importorskip("onnxruntime")
    model = berts.bert(head)
    tf1.export(str(tmp_path / "a"), model)
    report = conversion.convert(
        convert_checkpoint.ConvertConfig(
            from_=str(tmp_path / "a"),
            to="onnx",
            output_dir=str(tmp_path / "b"),
            head=head,
        )
    )
    assert report["computed_by"] == {"from": "us", "to": "onnxruntime"}
    assert report["largest_difference"] < 1e-5
    assert set(report["to"]["sha256"]) == {
        "bert_config.json",
        "model.onnx",
        "vocab.txt",
    }
    # Of other shapes than those it was proven with.
    features = outputs.fixed_batch(model.config, num_rows=3, num_tokens=9)
    found = onnx_model.answers(str(tmp_path / "b"), features)
    for value in found.values():
        assert value.shape[0] == 3


def test_what_is_not_installed_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="pip install tf2onnx onnxruntime"):
        onnx_model.export(str(tmp_path / "b"), berts.bert("encoder"))
    assert not os.path.exists(tmp_path / "b")
