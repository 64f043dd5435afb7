"""Models of others and our own checkpoints: their files nearly right.

Held of each: it is read or refused with an error that names the file or the
folder, at an end within seconds; and what is read has the shapes of its config.
"""

import json
import shutil

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from interop import (
    formats,
    hugging_face,
    keras_hub,
    keras_hub_config,
    saved_model,
    variables,
)
from storage import tensors
from tests.fuzz import held, near
from tests.fuzz.held import examples, put
from tests.interop import berts

pytestmark = pytest.mark.slow

NUM_HUGGING_FACE = 250
NUM_HEADERS = 250
NUM_INDEXES = 80
NUM_CHECKPOINTS = 120
NUM_PRESETS = 60


def _copy(source, tmp_path_factory):
    return shutil.copytree(source, tmp_path_factory.mktemp("copy") / "model")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A directory of Hugging Face, with a head of labels."""
    folder = tmp_path_factory.mktemp("hugging_face")
    model = berts.bert("sequence_classification", num_hidden_layers=1)
    hugging_face.export(str(folder), model)
    return folder


def _is_whole(model):
    variables.check_model(model, "a model that was read")
    variables.labels(model.config)


def _read(folder):
    found = held.read(lambda: formats.read(str(folder)), folder)
    if found.value:
        _is_whole(found.value)
    weights = held.read(lambda: formats.read_weights(str(folder)), folder)
    assert weights.value or found.error
    return found


@pytest.fixture(scope="module")
def folder(exported, tmp_path_factory):
    return _copy(exported, tmp_path_factory)


@examples(NUM_HUGGING_FACE)
@given(st.data(), st.sampled_from(("config.json", "tokenizer_config.json")))
def test_a_config_of_transformers(exported, folder, data, name):
    right = (exported / name).read_bytes()
    put(folder, name, data.draw(near.json_bytes(json.loads(right))))
    _read(folder)
    put(folder, name, right)


@pytest.fixture(scope="module")
def safe(exported):
    data = (exported / "model.safetensors").read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    return json.loads(data[8:end]), data[end:]


@examples(NUM_HEADERS)
@given(st.data(), st.sampled_from(("tree", "bytes", "scalar")))
def test_a_file_of_safetensors(folder, safe, data, kind):
    header, values = safe
    name = "model.safetensors"
    if kind == "scalar":
        header = header | {"classifier.weight": {"dtype": "F32"}}
        header["classifier.weight"] |= {"shape": [], "data_offsets": [0, 4]}
    text = json.dumps(header).encode()
    if kind == "tree":
        text = data.draw(near.json_bytes(header))
    content = len(text).to_bytes(8, "little") + text + values
    if kind == "bytes":
        content = data.draw(near.damaged(content))
    try:
        put(folder, name, content)
        _read(folder)
    finally:
        text = json.dumps(safe[0]).encode()
        put(folder, name, len(text).to_bytes(8, "little") + text + values)


@examples(NUM_INDEXES)
@given(st.data())
def test_an_index_of_parts(exported, tmp_path_factory, data):
    parts = _copy(exported, tmp_path_factory)
    (parts / "model.safetensors").rename(parts / "part.safetensors")
    names = ("classifier.weight", "bert.pooler.dense.bias")
    index = {"weight_map": dict.fromkeys(names, "part.safetensors")}
    content = data.draw(near.json_bytes(index | {"metadata": {"size": 1}}))
    put(parts, "model.safetensors.index.json", content)
    _read(parts)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint")
    model = berts.bert("encoder", num_hidden_layers=1)
    tensors.write(str(folder / "bert_model.ckpt"), model.values)
    (folder / "bert_config.json").write_text(model.config.to_json())
    return folder


@examples(NUM_CHECKPOINTS)
@given(st.data(), st.sampled_from((tensors.INDEX, tensors.DATA)))
def test_a_checkpoint_of_tensorflow(checkpoint, data, suffix):
    name = f"bert_model.ckpt{suffix}"
    right = (checkpoint / name).read_bytes()
    try:
        put(checkpoint, name, data.draw(near.damaged(right)))
        _read(checkpoint)
        prefix = str(checkpoint / "bert_model.ckpt")
        held.read(lambda: tensors.shapes(prefix), prefix)
    finally:
        put(checkpoint, name, right)


@examples(NUM_PRESETS)
@given(
    near.json_bytes({"class_name": "BertBackbone", "config": {"dropout": 0}}),
    st.sampled_from(("config.json", "task.json", "tokenizer.json")),
)
@example(b'{"class_name": ["BertMaskedLM"]}', "task.json")
@example(b'{"config": 5}', "tokenizer.json")
def test_the_settings_of_presets(tmp_path_factory, content, name):
    preset = tmp_path_factory.mktemp("preset")
    put(preset, name, content)
    held.read(lambda: keras_hub.is_here(str(preset)), preset)
    held.read(lambda: keras_hub_config.head_of(str(preset)), preset)
    held.read(lambda: keras_hub_config.read_case(str(preset)), preset)
    extra = preset / "assets.extra"
    extra.mkdir()
    put(extra, "serving.json", content)
    held.read(lambda: saved_model.read_settings(str(preset)), preset)
