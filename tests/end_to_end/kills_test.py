"""Builds of real text that are killed at any moment and run again."""

import random
import shutil
import signal
import subprocess
import sys
import time

import pytest

from tests import project

NUM_KILLS = 30
FLAGS = (
    "--dupe_factor=2",
    "--shard_megabytes=1",
    "--num_workers=2",
    "--t2s",
    "--vocab_file=vocab/zh_en_8k.txt",
)


def start(folder):
    corpus = project.shared() / "data" / "corpus_zh_traditional.txt.gz"
    return subprocess.Popen(
        [
            sys.executable,
            "create_pretraining_data.py",
            f"--input_file={corpus}",
            f"--output_file={folder}/records@3",
            *FLAGS,
        ],
        cwd=project.ROOT,
        env=project.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.slow
def test_a_build_killed_at_any_moment_ends_with_the_same_bytes(tmp_path):
    said, _ = start(tmp_path / "whole").communicate()
    before = time.monotonic()
    wanted = contents(tmp_path / "whole")
    assert len(wanted) == 4, said
    shutil.rmtree(tmp_path / "whole")
    start(tmp_path / "whole").wait()
    seconds = time.monotonic() - before
    rng = random.Random(5)
    num_killed = num_kept = 0
    for number in range(NUM_KILLS):
        folder = tmp_path / str(number)
        # Evenly over the build, so that every stage is met.
        moment = seconds * (number + rng.random()) / NUM_KILLS
        build = start(folder)
        time.sleep(moment)
        build.send_signal(signal.SIGKILL)
        build.communicate()
        num_killed += build.returncode == -signal.SIGKILL
        said, _ = start(folder).communicate()
        num_kept += "shards are built already" in said
        assert contents(folder) == wanted, f"killed after {moment} s: {said}"
        shutil.rmtree(folder)
    print(f"{num_killed} of {NUM_KILLS} killed, {num_kept} found shards built")
    assert num_killed > 0.8 * NUM_KILLS
    assert num_kept > 3
