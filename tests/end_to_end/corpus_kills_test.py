"""A preparation of a corpus, killed again and again, here and on Ray."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest

from tests import project
from tests.corpus import prepared

_NUM_KILLS = 20
_TIMEOUT_SECS = 600


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """A folder of raw files of some megabytes, with copies among them."""
    folder = tmp_path_factory.mktemp("corpus")
    for i in range(6):
        numbers = range(3000 * i, 3000 * i + 4000)  # A quarter come again.
        prepared.write_json_lines(folder / f"raw/{i}.jsonl", numbers)
    return folder


def start(raw, output, *flags):
    return subprocess.Popen(
        [
            sys.executable,
            str(project.ROOT / "prepare_corpus.py"),
            f"--input_file={raw}/raw",
            f"--output_dir={output}",
            "--shard_megabytes=1",
            # But for some words the documents are alike.
            "--near_duplicate_threshold=0.95",
            "--repeated_line_documents=20_000",
            *flags,
        ],
        env=project.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process):
    _, said = process.communicate(timeout=_TIMEOUT_SECS)
    assert process.returncode == 0, said


@pytest.fixture(scope="module")
def wanted(raw):
    """(what an unbroken run makes, the seconds it takes)."""
    begin = time.monotonic()
    finish(start(raw, raw / "whole", "--num_workers=1"))
    seconds = time.monotonic() - begin
    found = prepared.contents(raw / "whole")
    assert len(found) > 5
    return found, seconds


def kill_and_go_on(raw, wanted, name, num_kills, *flags):
    """Kills runs at random moments; the last one must end with `wanted`."""
    found, seconds = wanted
    output = raw / name
    rng = random.Random(name)
    killed = 0
    while killed < num_kills:
        process = start(raw, output, *flags)
        try:
            process.wait(rng.uniform(0.1, 1.1) * seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            killed += 1
        _, said = process.communicate(timeout=_TIMEOUT_SECS)
        if process.returncode != -signal.SIGKILL:
            assert process.returncode == 0, said
            assert prepared.contents(output) == found
            shutil.rmtree(output)
    finish(start(raw, output, *flags))
    assert prepared.contents(output) == found


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_killed_at_any_moment_it_ends_with_the_same_bytes(raw, wanted, workers):
    name = f"killed{workers}"
    kill_and_go_on(raw, wanted, name, _NUM_KILLS, f"--num_workers={workers}")


@pytest.mark.slow
def test_a_cluster_makes_the_same_bytes_however_often_it_is_killed(
    raw, wanted, cluster
):
    _, address = cluster
    flags = ["--engine=ray", f"--ray_address={address}"]
    kill_and_go_on(raw, wanted, "ray", _NUM_KILLS, *flags)
