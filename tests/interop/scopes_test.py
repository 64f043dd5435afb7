"""An encoder is found under any scope, and what it was is said."""

import numpy as np
import pytest
import safetensors.numpy

from interop import formats, hugging_face, tf1
from storage import tensors
from tests.interop import berts


def _rename(name, encoder, outer):
    own = "bert/" if "/" in name else "bert."
    if name.startswith(own):
        return encoder + name.removeprefix(own)
    return outer + name


def _write_tf1(path, encoder, outer="", **more):
    values = {
        _rename(n, encoder, outer): x for n, x in berts.bert().values.items()
    }
    tensors.write(str(path / "model.ckpt-1"), values | more)
    return str(path)


def _write_hugging_face(path, encoder, outer="", **more):
    hugging_face.export(str(path), berts.bert())
    file = path / "model.safetensors"
    values = safetensors.numpy.load_file(file)
    safetensors.numpy.save_file(
        {_rename(n, encoder, outer): x for n, x in values.items()} | more, file
    )
    return str(path)


def _assert_read(path):
    wanted = berts.bert().values
    found = formats.read_weights(path).values
    assert wanted.keys() <= found.keys()
    for name, value in wanted.items():
        np.testing.assert_array_equal(found[name], value)


@pytest.mark.parametrize(
    ("encoder", "outer"),
    [
        ("bert_1/", ""),
        ("roberta_wwm/", ""),
        ("module/bert/", "module/"),
        ("model/electra/", "model/"),
        ("", ""),
    ],
)
def test_other_scopes_of_tensorflow_are_read_and_said(
    tmp_path, caplog, encoder, outer
):
    caplog.set_level("INFO")
    _assert_read(_write_tf1(tmp_path, encoder, outer))
    said = f"the encoder is under {encoder!r} and read as that under 'bert/'"
    assert (said in caplog.text) == bool(encoder)


@pytest.mark.parametrize(
    ("encoder", "outer"),
    [
        ("roberta.", ""),
        ("module.bert.", "module."),
        ("module.model.bert.", "module.model."),
        ("0.auto_model.", ""),
        ("", ""),
    ],
)
def test_other_scopes_of_hugging_face_are_read_and_said(
    tmp_path, caplog, encoder, outer
):
    caplog.set_level("INFO")
    path = _write_hugging_face(tmp_path, encoder, outer)
    _assert_read(path)
    said = f"the encoder is under {encoder!r} and read as that under 'bert.'"
    assert (said in caplog.text) == bool(encoder)
    berts.assert_same(formats.read(path), berts.bert())


def test_slots_of_another_scope_follow_their_variables(tmp_path):
    bias = "pooler/dense/bias"
    slots = {
        f"bert_1/{bias}/{slot}": np.full(32, number, np.float32)
        for number, slot in enumerate(("adam_m", "adam_v"))
    }
    _write_tf1(tmp_path, "bert_1/", **slots, global_step=np.int64(7))
    values, state = tf1.read_tensors(str(tmp_path / "model.ckpt-1"))
    assert values.keys() == berts.bert().values.keys()
    assert state.keys() == {
        "global_step",
        f"bert/{bias}/adam_m",
        f"bert/{bias}/adam_v",
    }
    np.testing.assert_array_equal(state[f"bert/{bias}/adam_v"], np.ones(32))


@pytest.mark.parametrize(
    ("write", "names"),
    [
        (_write_tf1, ("bert_1/", "bert_2/")),
        (_write_hugging_face, ("student.", "teacher.")),
    ],
)
def test_several_encoders_are_refused_by_name(tmp_path, write, names):
    first, second = names
    words = {
        "/": "embeddings/word_embeddings",
        ".": "embeddings.word_embeddings.weight",
    }[first[-1]]
    other = {second + words: np.ones((3, 4), np.float32)}
    path = write(tmp_path, first, **other)
    with pytest.raises(ValueError, match="has several encoders") as error:
        formats.read_weights(path)
    assert f"under {first!r}, {second!r}" in str(error.value)
    assert str(tmp_path) in str(error.value)


def test_our_scope_goes_before_all_others(tmp_path, caplog):
    caplog.set_level("INFO")
    more = {"ema/bert/embeddings/word_embeddings": np.ones((3, 4), np.float32)}
    path = _write_tf1(tmp_path, "bert/", **more)
    _assert_read(path)
    assert more.keys() <= formats.read_weights(path).values.keys()
    assert "the encoder is under" not in caplog.text
