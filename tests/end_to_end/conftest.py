"""What the tests of whole programs share."""

import subprocess
import sys

import pytest

from tests import project

_TIMEOUT_SECS = 600


@pytest.fixture
def cluster():
    """The process of tests.end_to_end.ray_cluster and the address it says."""
    pytest.importorskip("ray", reason="ray is not installed")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.end_to_end.ray_cluster"],
        cwd=project.ROOT,
        env=project.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    yield process, process.stdout.readline().strip()
    process.stdin.close()
    process.wait(_TIMEOUT_SECS)
