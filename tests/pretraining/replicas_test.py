"""The number of replicas changes nothing but the speed."""

import pathlib
import subprocess
import sys

import numpy as np
import pytest

_ROOT = pathlib.Path(__file__).parents[2]


def _train(num_replicas, directory):
    output = directory / f"{num_replicas}.npz"
    program = [sys.executable, "-m", "tests.pretraining.replicas_program"]
    subprocess.run(
        [*program, str(num_replicas), str(output)], cwd=_ROOT, check=True
    )
    with np.load(output) as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def one_and_two(tmp_path_factory):
    directory = tmp_path_factory.mktemp("replicas")
    return _train(1, directory), _train(2, directory)


def test_weights_are_equal(one_and_two):
    one, two = one_and_two
    names = [name for name in one if name.startswith("weight ")]
    difference = max(np.abs(one[n] - two[n]).max() for n in names)
    print(f"largest difference {difference:.1e}")
    assert difference < 1e-6
    assert one["step"] == two["step"] == 6


def test_clipping_was_active(one_and_two):
    norm, num_steps = one_and_two[0]["train gradient_norm"]
    assert norm / num_steps > 1.0


def test_reported_sums_are_equal(one_and_two):
    one, two = one_and_two
    names = [name for name in one if name.startswith(("train ", "eval "))]
    assert len(names) == 9
    for name in names:
        np.testing.assert_allclose(one[name], two[name], rtol=1e-5)
