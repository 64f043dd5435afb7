"""shell/environment.sh brings CUDA's libraries where there is a card for them.

Nothing is installed: a program stands for Python that notes what pip is told,
and a fake `nvidia-smi` for the driver.
"""

import importlib.metadata
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
from packaging.requirements import Requirement

from tests import fake_cards, project
from tests.fake_cards import H100, RTX_5090, card

_PYTHON = """#!/bin/bash
if [[ "$*" == "-m pip install"* ]]; then
  shift 3
  echo "$*" >> "{folder}/told"
elif [[ "$1 $2" == "-m venv" ]]; then
  mkdir -p "$3/bin"
  cp "$0" "$3/bin/python"
else
  PYTHONPATH="{folder}/packages" exec {python} "$@"
fi
"""
_SOURCE = """
source shell/environment.sh {extra}
echo "$PYTHON ${{CUDA_VISIBLE_DEVICES-all}}"
"""
_FILES = ("setup.cfg", "shell/environment.sh", "training/nvidia.py")


class Checkout:
    """A folder with what environment.sh reads, in a clean environment."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.root = folder / "hanlin"
        for name in _FILES:
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(project.ROOT / name, self.root / name)
        (folder / "bin").mkdir()
        (folder / "packages").mkdir()
        python = folder / "bin/python3.13"
        python.write_text(_PYTHON.format(folder=folder, python=sys.executable))
        python.chmod(0o755)

    def source(self, *cards, extra="", **environment):
        """Runs environment.sh; returns what it says, and what pip is told."""
        told = self.folder / "told"
        told.unlink(missing_ok=True)
        path = fake_cards.install(self.folder, *cards)
        kept = {"HOME": os.environ.get("HOME", "/"), "LC_ALL": "C"}
        done = subprocess.run(
            ["bash", "-c", _SOURCE.format(extra=extra)],
            cwd=self.root,
            env=kept | {"PATH": f"{self.folder}/bin:{path}"} | environment,
            capture_output=True,
            text=True,
        )
        said = done.stdout + done.stderr
        return said, told.read_text() if told.exists() else ""


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path)


def _libraries():
    """What tensorflow[and-cuda] asks for besides."""
    asked = map(Requirement, importlib.metadata.requires("tensorflow"))
    return [one for one in asked if "and-cuda" in str(one.marker or "")]


def _put_libraries(folder, leave_out=()):
    """Makes it look as if tensorflow[and-cuda] were installed."""
    for asked in _libraries():
        if asked.name in leave_out:
            continue
        (least,) = [x.version for x in asked.specifier if x.operator == ">="]
        info = folder / f"{asked.name.replace('-', '_')}-{least}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {asked.name}\nVersion: {least}\n"
        )


def test_a_card_brings_the_libraries_and_says_so_with_the_size(checkout):
    said, told = checkout.source(card(H100))
    assert told.strip().endswith("hanlin[gpu]")
    assert (
        "installing CUDA's libraries for NVIDIA H100 80GB HBM3, 80 GiB "
        "(driver 550.54.15): 2.8 GB to download; HANLIN_DEVICE=cpu leaves "
        "them out"
    ) in said.splitlines()
    assert said.endswith("hanlin/.venv/bin/python all\n")


def test_without_a_card_there_is_nothing_to_add(checkout):
    said, told = checkout.source()
    assert told == ""
    assert "CUDA" not in said


def test_the_user_may_leave_them_out(checkout):
    said, told = checkout.source(card(H100), HANLIN_DEVICE="cpu")
    assert told == ""
    assert said.endswith("hanlin/.venv/bin/python -1\n")
    assert checkout.source(card(H100), CUDA_VISIBLE_DEVICES="-1")[1] == ""
    said, told = checkout.source(card(H100), HANLIN_DEVICE="gpu")
    assert "error: HANLIN_DEVICE=gpu: it may be cpu, or not set" in said
    assert told == ""


def test_the_tests_need_none(checkout):
    assert checkout.source(card(H100), extra="dev")[1] == ""


def test_a_card_that_tensorflow_cannot_serve_is_left_out(checkout):
    said, told = checkout.source(card(RTX_5090))
    assert told == ""
    assert "RTX 5090, 32 GiB is left out: its compute capability 12.0" in said


@pytest.mark.parametrize("leave_out", [(), ("nvidia-nccl-cu12",)])
def test_an_environment_without_one_of_them_gets_it(checkout, leave_out):
    _put_libraries(checkout.folder / "packages", leave_out)
    _, told = checkout.source(card(H100))
    assert bool(told) == bool(leave_out)


def test_its_own_environment_gets_them_when_it_is_active_too(checkout):
    environment = {"VIRTUAL_ENV": str(checkout.root / ".venv")}
    (checkout.folder / "bin/python").symlink_to(
        checkout.folder / "bin/python3.13"
    )
    assert "[gpu]" in checkout.source(card(H100), **environment)[1]
    # Another one is the user's.
    said, told = checkout.source(card(H100), VIRTUAL_ENV="/somewhere")
    assert (said, told) == ("python all\n", "")


def test_locked_versions_are_those_for_a_gpu(checkout):
    _, told = checkout.source(card(H100), HANLIN_LOCKED="1")
    assert told.strip().endswith("hanlin/requirements-gpu.lock")
    assert "--require-hashes" in told


def _versions(lock):
    text = (project.ROOT / lock).read_text(encoding="utf-8")
    lines = [x.split()[0] for x in text.splitlines() if "==" in x]
    return dict(line.split("==") for line in lines)


def test_the_lock_for_a_gpu_has_the_libraries_and_nothing_else_besides():
    plain, gpu = map(_versions, ("requirements.lock", "requirements-gpu.lock"))
    assert gpu.items() >= plain.items()
    added = gpu.keys() - plain.keys()
    assert added == {asked.name for asked in _libraries()}
    for asked in _libraries():
        assert asked.specifier.contains(gpu[asked.name])


def test_every_script_names_the_extra_or_none():
    # Without an argument `source` hands on those of the script.
    for path in (project.ROOT / "shell").glob("*.sh"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("source ") and "environment.sh" in line:
                assert line.endswith(('" ""', '" dev')), f"{path}: {line}"
