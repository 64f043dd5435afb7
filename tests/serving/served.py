"""A small classifier and a small encoder, and servers, for tests."""

import contextlib
import json
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import pytest

from interop import hugging_face
from serving.config import ServeConfig
from tests import project
from tests.finetuning import trained
from tests.interop import berts

_PATIENCE_SECS = 300.0

TEXTS = ["w1 w2 w3", "w4 w5", "w6 w1 w90 w91", "w7"]


def write(path):
    """Writes a fine-tuned directory and a pretrained one; returns both."""
    write_encoder(path)
    trained.run(trained.CLASSIFIER, path, "classes", do_train=True)
    trained.run(trained.SQUAD, path, "answers", do_train=True)
    return path


def write_encoder(path):
    """Writes a pretrained directory alone, which takes no training."""
    trained.write_inputs(path)
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


@contextlib.contextmanager
def started(*flags):
    """A server as a process: (its address, the process), once it is ready."""
    with subprocess.Popen(
        [sys.executable, "-m", "tools.serve", "--port=0", *flags],
        cwd=project.ROOT,
        env=project.environment(),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        watch = threading.Timer(_PATIENCE_SECS, process.kill)
        watch.start()
        try:
            lines = iter(process.stderr.readline, "")
            found = (re.search(r"http://[\d.]+:\d+", line) for line in lines)
            address = next(match[0] for match in found if match)
            threading.Thread(target=process.stderr.read, daemon=True).start()
            while status(f"{address}/readyz") != 200:
                time.sleep(0.2)
            yield address, process
        finally:
            watch.cancel()
            process.kill()


def post(address, where, key=None, **body):
    """Returns what a server answers to a body, as values of JSON."""
    headers = {"Content-Type": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}".encode()
    request = urllib.request.Request(
        f"{address}/v1/{where}", json.dumps(body).encode(), headers
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def status(url):
    """Returns the status with which a GET is answered."""
    try:
        with urllib.request.urlopen(url) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
