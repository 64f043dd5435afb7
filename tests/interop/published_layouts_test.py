"""bert-base-uncased and bert-base-chinese, laid out as on the hub, full size.

Their values are random. Each goes through the programs themselves; time and
memory of each step are printed, see them with -s.
"""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
import safetensors.numpy
import tensorflow as tf

from interop import tf1
from tests import project
from tests.interop import published_berts

os.environ.setdefault("HF_HUB_OFFLINE", "1")
pytestmark = pytest.mark.slow

_POSITIONS = "bert.embeddings.position_ids"
_COPY = "cls.predictions.decoder.weight"
_TEXTS = ("一丁七 w1 w2", "丈三 w3 unknown")


@pytest.fixture(params=published_berts.CONFIGS)
def published(request, tmp_path):
    """(directory, the arrays that are in it); all is removed afterwards."""
    config = published_berts.CONFIGS[request.param]
    path = tmp_path / request.param
    path.mkdir()
    (path / "config.json").write_text(json.dumps(config, indent=2))
    rows = config["vocab_size"]
    (path / "vocab.txt").write_text(published_berts.vocabulary(rows))
    rng = np.random.default_rng(5)
    values = {
        name: _random(rng, shape) + np.float32(name.endswith("gamma"))
        for name, shape in published_berts.shapes(rows).items()
    }
    assert len(values) == 206
    if request.param.endswith("chinese") and _has("torch"):
        _save_torch(path / "pytorch_model.bin", values)
    else:
        positions = {_POSITIONS: np.arange(512)[None]}
        safetensors.numpy.save_file(
            values | positions, path / "model.safetensors"
        )
    yield path, values
    shutil.rmtree(tmp_path)


def _random(rng, shape):
    """Numbers as of a model, none so near 0 that the least step moves it."""
    numbers = rng.standard_normal(shape, np.float32) * np.float32(0.02)
    return np.where(abs(numbers) < 1e-12, np.float32(0.02), numbers)


def _has(library):
    return importlib.util.find_spec(library) is not None


def _save_torch(path, values):
    """Saves as transformers did: what is tied is one tensor of two names."""
    import torch

    found = {name: torch.from_numpy(x) for name, x in values.items()}
    torch.save(found | {_COPY: found[published_berts.WORDS]}, path)


def _run(path, *command):
    """Runs a program of ours; returns what it said."""
    log = path.parent / "log.txt"
    begin = time.monotonic()
    with open(log, "w") as file:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=project.ROOT,
            env=project.environment(),
            stdout=file,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds, gigabytes = time.monotonic() - begin, usage.ru_maxrss / 2**20
    said = log.read_text()
    assert process.returncode == 0, said[-3000:]
    step = " ".join(x for x in command if not x.startswith("-") or "--to" in x)
    print(f"\n{path.name}: {step}: {seconds:.0f} s, {gigabytes:.1f} GB")
    return said


def _of_model(path):
    return (
        f"--bert_config_file={path}/config.json",
        f"--vocab_file={path}/vocab.txt",
        f"--init_checkpoint={path}",
        "--max_seq_length=16",
        "--mixed_precision=none",
    )


def _assert_loaded(said, num_new):
    """Holds the table to all of an encoder; the heads are left aside."""
    assert re.search(r"  loaded +199  bert/", said), said
    assert re.search(rf"  newly initialised +{num_new}\b", said), said
    assert re.search(r"  unused +7  cls/predictions/", said), said
    _assert_no_warning(said)


def _assert_no_warning(said):
    assert not re.search(r"(?m)^[WE]\d{4} .*", said), said


def _assert_checkpoint(prefix, values):
    """Holds a checkpoint to have all of values, to the bit."""
    reader = tf.train.load_checkpoint(prefix)
    for name, value in values.items():
        ours = published_berts.our_name(name)
        if ours.endswith("/kernel"):
            value = value.T
        np.testing.assert_array_equal(reader.get_tensor(ours), value, ours)


def test_a_classifier_starts_from_it(published):
    path, values = published
    train = path.parent / "train.tsv"
    rows = [f"{text}\t{i}\n" for i, text in enumerate(_TEXTS)]
    train.write_text("text\tlabel\n" + "".join(rows))
    output = path.parent / "output"
    said = _run(
        path,
        "run_classifier.py",
        *_of_model(path),
        "--task_name=tsv",
        f"--train_file={train}",
        f"--output_dir={output}",
        "--do_train",
        "--train_batch_size=2",
        "--num_train_epochs=1",
        # So small a rate moves no weight: they are as they were read.
        "--learning_rate=1e-30",
    )
    _assert_loaded(said, num_new=2)
    encoder = {n: x for n, x in values.items() if n.startswith("bert.")}
    assert len(encoder) == 199
    _assert_checkpoint(tf1.find(str(output)), encoder)


def test_features_are_those_of_transformers(published):
    path, _ = published
    (path.parent / "texts.txt").write_text("\n".join(_TEXTS))
    output = path.parent / "features.npz"
    said = _run(
        path,
        "extract_features.py",
        *_of_model(path),
        "--layers=all",
        f"--input_file={path.parent}/texts.txt",
        f"--output_file={output}",
    )
    _assert_loaded(said, num_new=0)
    with np.load(output) as arrays:
        found = dict(arrays)
    assert found["values"].shape[1:] == (12, 768)
    assert np.isfinite(found["values"]).all()
    for library in ("torch", "transformers"):
        pytest.importorskip(library, reason="no peer computes these features")
    texts = np.split(found["ids"], found["starts"][1:-1])
    assert [ids[0] for ids in texts] == [101, 101]
    assert 100 in texts[1] and 100 not in texts[0]
    wanted = np.concatenate([_hidden_states(path, ids) for ids in texts])
    difference = float(np.abs(found["values"] - wanted).max())
    print(f"\n{path.name}: differs from transformers by {difference:.1e}")
    assert difference < 1e-4


def _hidden_states(path, ids):
    """[T, 12, 768] of a text, by transformers."""
    import torch
    import transformers

    model, info = transformers.BertModel.from_pretrained(
        path, output_loading_info=True
    )
    assert not info["missing_keys"], info["missing_keys"]
    with torch.no_grad():
        states = model.eval()(
            torch.tensor(ids[None]).long(), output_hidden_states=True
        ).hidden_states
    return torch.stack(states[1:], dim=2)[0].numpy()


def _convert(path, source, to):
    target = path.parent / to
    said = _run(
        path,
        *("-m", "tools.convert_checkpoint", f"--to={to}"),
        *(f"--from={source}", f"--output_dir={target}"),
    )
    _assert_no_warning(said)
    report = json.loads((target / "conversion.json").read_text())
    assert report["num_tensors"] == 206
    assert report["head"] == "pretraining"
    assert report["left_out"] == []
    assert report["largest_difference"] < 1e-4
    assert (target / "vocab.txt").read_bytes() == (
        path / "vocab.txt"
    ).read_bytes()
    return target


def test_it_goes_to_tensorflow_and_back_to_the_bit(published):
    path, values = published
    between = _convert(path, path, "tf1")
    prefix = str(between / "bert_model.ckpt")
    _assert_checkpoint(prefix, values)
    assert len(tf.train.list_variables(prefix)) == 206
    back = _convert(path, between, "huggingface")
    found = safetensors.numpy.load_file(back / "model.safetensors")
    for name, value in values.items():
        name = name.replace("LayerNorm.gamma", "LayerNorm.weight")
        name = name.replace("LayerNorm.beta", "LayerNorm.bias")
        np.testing.assert_array_equal(found.pop(name), value, name)
    assert not found
    config = json.loads((back / "config.json").read_text())
    before = json.loads((path / "config.json").read_text())
    changed = {key for key in before if config.get(key) != before[key]}
    assert changed <= {"architectures", "transformers_version"}
    assert config["architectures"] == ["BertForPreTraining"]
