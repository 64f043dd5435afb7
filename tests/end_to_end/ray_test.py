"""Shards built on a Ray cluster, one of whose nodes is killed mid-way."""

import pathlib
import subprocess
import sys
import time

import pytest

from tests import project

pytest.importorskip("ray", reason="ray is not installed")

FLAGS = ["--dupe_factor=100", "--shard_megabytes=1"]
_SECS_OF_PATIENCE = 240


def start(corpus, vocabulary, output, *more):
    return subprocess.Popen(
        [
            sys.executable,
            str(project.ROOT / "create_pretraining_data.py"),
            f"--input_file={corpus}",
            f"--vocab_file={vocabulary}",
            f"--output_file={output}@2",
            *FLAGS,
            *more,
        ],
        env=project.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def contents(directory, name):
    files = sorted(directory.glob(f"{name}-*-of-00002"))
    return [path.read_bytes() for path in files]


def test_a_node_killed_mid_way_changes_no_byte(tmp_path, cluster):
    process, address = cluster
    documents = "\n".join(project.sample_lines()) + "\n\n"
    corpus = tmp_path / "corpus.txt"
    corpus.write_text(documents * 50, encoding="utf-8")
    vocabulary = project.write_vocabulary(tmp_path, project.sample_vocabulary())
    alone = start(corpus, vocabulary, tmp_path / "alone")
    assert alone.wait(_SECS_OF_PATIENCE) == 0, alone.stdout.read()
    ray = ["--engine=ray", f"--ray_address={address}"]
    build = start(corpus, vocabulary, tmp_path / "shared", *ray)
    folder = pathlib.Path(f"{tmp_path}/shared-00000-of-00002.unfinished")
    deadline = time.monotonic() + _SECS_OF_PATIENCE
    while not list(folder.glob("shard-*.json")):
        assert build.poll() is None, build.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.stdout.readline() == "killed\n"
    assert build.poll() is None, "the build was done before the node died"
    said, _ = build.communicate(timeout=_SECS_OF_PATIENCE)
    assert build.returncode == 0, said
    assert contents(tmp_path, "shared") == contents(tmp_path, "alone")
    assert len(contents(tmp_path, "alone")) == 2
    assert not folder.exists()
