"""A small classifier and a small encoder, for tests of the server."""

import pytest

from interop import hugging_face
from serving.config import ServeConfig
from tests.finetuning import trained
from tests.interop import berts

TEXTS = ["w1 w2 w3", "w4 w5", "w6 w1 w90 w91", "w7"]


def write(path):
    """Writes a fine-tuned directory and a pretrained one; returns both."""
    trained.write_inputs(path)
    trained.run(trained.CLASSIFIER, path, "classes", do_train=True)
    trained.run(trained.SQUAD, path, "answers", do_train=True)
    hugging_face.export(str(path / "encoder"), berts.bert(head="pretraining"))
    vocabulary = (path / "vocab.txt").read_bytes()
    (path / "encoder/vocab.txt").write_bytes(vocabulary)
    return path


def config(path, **changes):
    names = ("classes", "answers", "encoder")
    options = {
        "model_dir": ",".join(str(path / name) for name in names),
        "max_seq_length": 16,
        "port": 0,
        "reload_secs": 0.0,
        "drain_secs": 0.0,
    }
    return ServeConfig(**options | changes)


def skip_without_server():
    pytest.importorskip("fastapi", reason="the extra serve is not installed")
    pytest.importorskip("httpx", reason="the extra dev is not installed")
