"""Files of PyTorch: tensors in whatever they were saved with, and no code."""

import os
import pathlib

import numpy as np
import pytest
import safetensors.numpy

from interop import formats, hugging_face
from tests.interop import berts


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@pytest.fixture
def directory(tmp_path):
    """A model of which pytorch_model.bin is yet to be written."""
    hugging_face.export(str(tmp_path), berts.bert())
    os.remove(tmp_path / "model.safetensors")
    return tmp_path


@pytest.fixture
def values(torch, tmp_path_factory):
    """The tensors of that model."""
    path = tmp_path_factory.mktemp("values")
    hugging_face.export(str(path), berts.bert())
    found = safetensors.numpy.load_file(path / "model.safetensors")
    return {name: torch.tensor(value) for name, value in found.items()}


def _save(torch, directory, found):
    torch.save(found, directory / "pytorch_model.bin")


_WRAPS = {
    "bare": lambda torch, x: x,
    "state_dict": lambda torch, x: {"state_dict": x, "epoch": 3},
    "twice": lambda torch, x: {"state": {"model": x}, "config": {"a": [1]}},
    "a number beside": lambda torch, x: x | {"epoch": 3},
    # As pytorch.org's tutorial on saving checkpoints has it.
    "a tensor beside": lambda torch, x: {
        "epoch": 3,
        "model_state_dict": x,
        "loss": torch.tensor(0.4),
    },
    "numbers for names": lambda torch, x: {
        "model": x,
        "seen": {0: torch.tensor(1), 1: torch.tensor(2)},
    },
    "an optimizer": lambda torch, x: {
        "model": x,
        "optimizer": {
            "state": {0: {"exp_avg": torch.ones(3), "step": torch.tensor(1)}},
            "param_groups": [{"lr": 1e-4}],
        },
    },
    "another model": lambda torch, x: {
        "scaler": {"scale": torch.tensor(2.0)},
        "model": x,
    },
}


@pytest.mark.parametrize("wrap", _WRAPS)
def test_tensors_are_found_in_what_wraps_them(torch, directory, values, wrap):
    _save(torch, directory, _WRAPS[wrap](torch, values))
    berts.assert_same(hugging_face.read(str(directory)), berts.bert())


def test_what_wrapped_them_is_said(torch, directory, values, caplog):
    caplog.set_level("INFO")
    _save(torch, directory, {"state": {"model": values}})
    hugging_face.read(str(directory))
    assert "pytorch_model.bin: read are its state / model" in caplog.text


def test_parameters_are_read_as_their_values(torch, directory, values):
    _save(
        torch,
        directory,
        {name: torch.nn.Parameter(x) for name, x in values.items()},
    )
    berts.assert_same(hugging_face.read(str(directory)), berts.bert())


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda torch, x: [*x.values()], "list"),
        (lambda torch, x: {}, "{}"),
        (lambda torch, x: torch.ones(3), "Tensor"),
        (lambda torch, x: {"epoch": 3, "loss": 0.5}, "{'epoch', 'loss'}"),
        (
            lambda torch, x: {"model": x, "ema": dict(x)},
            "{'model', 'ema'}",
        ),
        (
            lambda torch, x: {"a": {"b": {"c": {"d": {"e": x}}}}},
            "{'a'}",
        ),
        (lambda torch, x: {0: torch.ones(2), 1: torch.ones(3)}, "{0, 1}"),
    ],
)
def test_what_holds_no_tensors_by_name_is_told(
    torch, directory, values, make, kind
):
    _save(torch, directory, make(torch, values))
    with pytest.raises(ValueError, match="bin holds ") as error:
        formats.read_weights(str(directory))
    assert f"holds {kind}, wanted one set of tensors" in str(error.value)


class _Dangerous:
    def __reduce__(self):
        return pathlib.Path.touch, (pathlib.Path("ran"),)


def test_code_in_a_file_is_not_run(torch, directory, values, monkeypatch):
    monkeypatch.chdir(directory)
    _save(torch, directory, values | {"hook": _Dangerous()})
    with pytest.raises(ValueError, match="code of theirs would run") as error:
        hugging_face.read(str(directory))
    assert not (directory / "ran").exists()
    # PyTorch's own words advise to run it.
    assert "weights_only" not in str(error.value)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"nothing of torch's"])
def test_a_damaged_file_is_named(torch, directory, data):
    (directory / "pytorch_model.bin").write_bytes(data)
    with pytest.raises(ValueError, match="pytorch_model.bin (is|holds)"):
        hugging_face.read(str(directory))


def test_a_file_that_ends_too_early_is_named(torch, directory, values):
    _save(torch, directory, values)
    path = directory / "pytorch_model.bin"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match="pytorch_model.bin is damaged"):
        hugging_face.read(str(directory))


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_buffers_of_any_type_are_passed_over(torch, directory, values, dtype):
    places = torch.arange(16)[None].to(getattr(torch, dtype))
    _save(torch, directory, values | {"bert.embeddings.position_ids": places})
    berts.assert_same(hugging_face.read(str(directory)), berts.bert())


def test_a_weight_of_whole_numbers_is_refused(torch, directory, values):
    name = "bert.pooler.dense.weight"
    _save(torch, directory, values | {name: values[name].to(torch.int8)})
    with pytest.raises(ValueError, match=f"{name} is torch.int8, not a float"):
        hugging_face.read(str(directory))


def test_narrow_numbers_become_float32(torch, directory, values):
    narrow = {name: x.to(torch.bfloat16) for name, x in values.items()}
    _save(torch, directory, narrow)
    found = hugging_face.read(str(directory)).values
    name = "bert/embeddings/word_embeddings"
    assert found[name].dtype == np.float32
    np.testing.assert_array_equal(
        found[name],
        narrow["bert.embeddings.word_embeddings.weight"].float().numpy(),
    )
