"""A build run again, over other output, or after it was killed."""

import itertools
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
import tensorflow as tf

from data.building import build, shard
from storage import file_io, typed_json
from tests import project
from tests.data import built


class Killed(BaseException):
    """Stops a build at once, as SIGKILL would, but in this process."""


def two_files(directory):
    return f"{directory}/made/a,{directory}/made/b"


def contents(directory):
    """{name: bytes} of the finished files."""
    folder = pathlib.Path(directory, "made")
    if not folder.exists():
        return {}
    paths = [p for p in folder.iterdir() if not p.name.endswith(".lock")]
    return {path.name: path.read_bytes() for path in paths if path.is_file()}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    directory = tmp_path_factory.mktemp("whole")
    built.run(directory, output_file=two_files(directory))
    return contents(directory)


def kill_after(monkeypatch, owner, name, calls):
    """Makes the call after the first `calls` ones to `owner.name` the last."""
    whole = getattr(owner, name)
    count = itertools.count()

    def until(*args, **kwargs):
        if next(count) >= calls:
            raise Killed
        return whole(*args, **kwargs)

    monkeypatch.setattr(owner, name, until)


def test_a_second_run_finds_the_files_built(tmp_path, caplog):
    flags = {"output_file": two_files(tmp_path)}
    built.run(tmp_path, **flags)
    before = contents(tmp_path)
    times = [p.stat().st_mtime_ns for p in (tmp_path / "made").iterdir()]
    with caplog.at_level("INFO", logger="absl"):
        manifest = build.build(built.make_config(tmp_path, **flags))
    assert "already built" in caplog.text
    assert typed_json.plain(manifest) == json.loads(before["a.manifest.json"])
    assert contents(tmp_path) == before
    assert times == [
        p.stat().st_mtime_ns for p in (tmp_path / "made").iterdir()
    ]
    assert sorted(before) == ["a", "a.manifest.json", "b"]


@pytest.mark.parametrize("calls", range(7))
def test_killed_while_files_get_their_names_a_rerun_ends_the_same(
    tmp_path, monkeypatch, uninterrupted, calls
):
    flags = {"output_file": two_files(tmp_path)}
    with monkeypatch.context() as patch:
        kill_after(patch, file_io, "rename", calls)
        with pytest.raises(Killed):
            built.run(tmp_path, **flags)
    assert "a.manifest.json" not in contents(tmp_path)
    built.run(tmp_path, **flags)
    assert contents(tmp_path) == uninterrupted
    assert not list(tmp_path.glob("made/*.*ed")), "the work folder is left"


@pytest.mark.parametrize("name", ["_draw", "_write", "_read"])
def test_killed_earlier_it_leaves_no_file_and_a_rerun_ends_the_same(
    tmp_path, monkeypatch, uninterrupted, name
):
    flags = {"output_file": two_files(tmp_path)}
    with monkeypatch.context() as patch:
        kill_after(patch, shard, name, 0)
        with pytest.raises(Killed):
            built.run(tmp_path, **flags)
    assert contents(tmp_path) == {}
    built.run(tmp_path, **flags)
    assert contents(tmp_path) == uninterrupted


def test_killed_in_the_middle_of_writing_it_leaves_no_file(
    tmp_path, monkeypatch, uninterrupted
):
    monkeypatch.setattr(shard, "_RECORDS_A_CALL", 50)
    flags = {"output_file": two_files(tmp_path)}
    with monkeypatch.context() as patch:
        kill_after(patch, shard.Encoder, "encode", 3)
        with pytest.raises(Killed):
            built.run(tmp_path, **flags)
    assert contents(tmp_path) == {}
    built.run(tmp_path, **flags)
    assert contents(tmp_path) == uninterrupted


OTHERS = {
    "--random_seed=12345, not 1": {"random_seed": 1},
    "--max_seq_length=128, not 64": {"max_seq_length": 64},
    "--gzip_compress=False, not True": {"gzip_compress": True},
    "--t2s=False, not OpenCC": {"t2s": True},
    "other text": {"input_file": project.SAMPLES[0]},
    "another vocabulary": {"vocab_file": "other"},
    "--output_file=a,b": {"output_file": "a"},
}


@pytest.mark.parametrize("words", OTHERS)
def test_output_of_other_flags_is_refused_and_left_alone(tmp_path, words):
    built.run(tmp_path, output_file=two_files(tmp_path))
    before = contents(tmp_path)
    flags = {"output_file": two_files(tmp_path)} | OTHERS[words]
    if words == "--output_file=a,b":
        flags["output_file"] = f"{tmp_path}/made/a"
    if words == "another vocabulary":
        rows = (*project.sample_vocabulary(), "qqq")
        flags["vocab_file"] = project.write_vocabulary(tmp_path, rows, "other")
    with pytest.raises(FileExistsError) as caught:
        built.run(tmp_path, **flags)
    said = str(caught.value)
    for word in (f"{tmp_path}/made/a", words, "--output_file", "--overwrite"):
        assert word in said
    assert contents(tmp_path) == before
    settings = built.make_config(tmp_path, **flags)
    assert built.run(tmp_path, **flags, overwrite=True) == (
        built.expected(settings)
    )


def test_a_file_of_unknown_origin_is_refused_and_left_alone(tmp_path):
    (tmp_path / "records").write_bytes(b"precious")
    with pytest.raises(FileExistsError, match="no manifest .*--overwrite"):
        built.run(tmp_path)
    assert (tmp_path / "records").read_bytes() == b"precious"


def test_a_file_lost_since_is_built_again(tmp_path, uninterrupted):
    built.run(tmp_path, output_file=two_files(tmp_path))
    (tmp_path / "made" / "b").unlink()
    built.run(tmp_path, output_file=two_files(tmp_path))
    assert contents(tmp_path) == uninterrupted


@pytest.mark.parametrize("calls", range(7))
def test_killed_while_it_overwrites_it_never_calls_a_mixture_whole(
    tmp_path, monkeypatch, uninterrupted, calls
):
    flags = {"output_file": two_files(tmp_path)}
    built.run(tmp_path, **flags, random_seed=1)
    other = contents(tmp_path)
    with monkeypatch.context() as patch:
        kill_after(patch, file_io, "rename", calls)
        with pytest.raises(Killed):
            built.run(tmp_path, **flags, overwrite=True)
    left = contents(tmp_path)
    mixed = {name: left[name] for name in "ab"}
    for whole in (other, uninterrupted):
        if left.get("a.manifest.json") == whole["a.manifest.json"]:
            assert mixed == {name: whole[name] for name in "ab"}
    built.run(tmp_path, **flags, overwrite=True)
    assert contents(tmp_path) == uninterrupted


def test_outputs_of_one_name_in_two_folders_are_both_counted(tmp_path):
    outputs = [f"{tmp_path}/{name}/records" for name in ("one", "two")]
    flags = {"output_file": ",".join(outputs)}
    got = built.run(tmp_path, **flags)
    manifest = build.build(built.make_config(tmp_path, **flags))
    counts = [entry.num_records for entry in manifest.files.values()]
    assert counts == [len(records) for records in got]


def test_a_build_killed_by_the_system_is_done_by_a_rerun(tmp_path):
    settings = built.make_config(tmp_path, dupe_factor=400)
    command = [
        sys.executable,
        str(project.ROOT / "create_pretraining_data.py"),
        f"--input_file={settings.input_file}",
        f"--output_file={settings.output_file}",
        f"--vocab_file={settings.vocab_file}",
        "--dupe_factor=400",
    ]
    started = subprocess.Popen(
        command,
        env=project.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    folder = pathlib.Path(settings.output_file + ".unfinished")
    deadline = time.monotonic() + 120
    while started.poll() is None and time.monotonic() < deadline:
        if any(path.stat().st_size for path in folder.glob("*.tmp")):
            break
        time.sleep(0.001)
    started.send_signal(signal.SIGKILL)
    said, _ = started.communicate()
    if started.returncode == 0:
        pytest.skip("the build was done before it could be killed")
    assert started.returncode == -signal.SIGKILL, said
    assert not os.path.exists(settings.output_file)
    manifest = build.build(settings)
    assert not folder.exists()
    num_records = sum(1 for _ in tf.data.TFRecordDataset(settings.output_file))
    assert num_records == manifest.statistics["num_records"]
    assert num_records > 20000
