"""The same model runs on another backend of Keras and gives the same."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from tests import tiny

_ROOT = pathlib.Path(__file__).parents[2]


def _forward(backend, inputs, output):
    subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.modeling.backend_program",
            str(inputs),
            str(output),
        ],
        cwd=_ROOT,
        env=os.environ | {"KERAS_BACKEND": backend},
        check=True,
    )
    with np.load(output) as arrays:
        return dict(arrays)


def test_torch_and_tensorflow_give_the_same(tmp_path):
    pytest.importorskip("torch")
    inputs = tmp_path / "batch.npz"
    np.savez(inputs, **tiny.batch(4))
    ours, other = (
        _forward(backend, inputs, tmp_path / f"{backend}.npz")
        for backend in ("tensorflow", "torch")
    )
    for name, value in ours.items():
        assert value == pytest.approx(other[name], abs=1e-5), name
