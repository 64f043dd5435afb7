"""requirements-tpu.txt alone makes an environment in which the programs start.

Without a TPU: `TPU_LOAD_LIBRARY=0` keeps TensorFlow from looking for one.
"""

import os
import subprocess
import sys
import tempfile

import pytest

from tests import project

# What has to be there of a TPU, and what would take its place.
_PROGRAM = """
import importlib.metadata
import tensorflow as tf
from tensorflow.python.framework import kernels

owners = importlib.metadata.packages_distributions()["tensorflow"]
assert set(owners) == {"tensorflow_tpu"}, owners
assert kernels.get_registered_kernels_for_op("TPUExecute").kernel
import google.auth.transport.requests
from training import cloud_tpu, strategy
from data.building import build
from pretraining import train
from finetuning.classification import task
from tensorflow.python.tools import grpc_tpu_worker
print(tf.__version__, importlib.metadata.version("libtpu"))
"""


def _uv(*arguments):
    subprocess.run([sys.executable, "-m", "uv", *arguments], check=True)


@pytest.mark.slow
def test_the_environment_of_a_tpu_imports_all_that_trains():
    # Some 2.5 GB, which pytest would keep.
    with tempfile.TemporaryDirectory() as folder:
        python = os.path.join(folder, "bin", "python")
        _uv("venv", "--quiet", "--python", sys.executable, folder)
        _uv(
            *("pip", "install", "--quiet", "--python", python),
            *("-r", str(project.ROOT / "requirements-tpu.txt")),
        )
        environment = project.environment() | {"TPU_LOAD_LIBRARY": "0"}
        for arguments in (
            ["-c", _PROGRAM],
            ["run_pretraining.py", "--helpshort"],
        ):
            found = subprocess.run(
                [python, *arguments],
                cwd=project.ROOT,
                env=environment,
                capture_output=True,
                text=True,
            )
            print(found.stdout[-500:], found.stderr[-2000:])
            # absl ends with 1 after --help.
            assert found.returncode in (0, 1) and found.stdout
            assert "Traceback" not in found.stderr
