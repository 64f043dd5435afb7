"""A build of several shards run again: stopped, changed, or with a loss."""

import itertools
import pathlib

import pytest

from data.building import shards
from tests.data.stoppable import ALL, NUM_SHARDS, Build

FILES = pytest.mark.parametrize("num_files", [1, 2, 3, 5])


@pytest.fixture
def make(tmp_path, monkeypatch):
    return lambda num_files: Build(tmp_path, num_files, monkeypatch)


def shards_of(num_files, files):
    parts = shards.share_out(NUM_SHARDS, num_files)
    return {part.shard for part in parts if part.file in files}


@FILES
def test_killed_anywhere_a_rerun_builds_what_is_missing(make, num_files):
    made = make(num_files)
    assert made.run() == ALL
    wanted = made.contents()
    assert len(wanted) == num_files + 1
    made.clear()
    for calls in itertools.count():
        if not made.is_killed(calls):
            break
        done = made.done()
        assert made.run() == ALL - done
        assert made.contents() == wanted
        made.clear()
    assert calls > 2 * NUM_SHARDS


@pytest.mark.parametrize("num_files", [2, 3])
def test_killed_while_it_overwrites_no_record_gets_into_the_wrong_build(
    make, num_files
):
    made = make(num_files)
    other = {"random_seed": 2, "overwrite": True}
    made.run(**other)
    wanted = made.contents()
    made.clear()
    made.run()
    before = made.contents()
    for name in sorted(wanted):
        assert name.endswith(".json") or len(before[name]) == len(wanted[name])
    for calls in itertools.count():
        with made.kept():
            if not made.is_killed(calls, **other):
                break
            with made.kept():
                made.run(**other)
                assert made.contents() == wanted
            try:
                made.run()
            except FileExistsError:
                made.run(overwrite=True)
            assert made.contents() == before
    assert calls > 2 * NUM_SHARDS


@FILES
def test_one_shard_of_changed_text_is_built_alone(make, num_files):
    made = make(num_files)
    made.run()
    before = made.contents()
    made.change_text()
    with pytest.raises(FileExistsError, match="other text.*--overwrite"):
        made.run()
    assert made.contents() == before
    files = {f for f in range(num_files) if 1 in shards_of(num_files, {f})}
    assert made.run(overwrite=True) == shards_of(num_files, files)
    after = made.contents()
    changed = {name for name in after if after[name] != before[name]}
    changed.remove(f"records-00000-of-{num_files:05}.manifest.json")
    assert changed
    assert changed <= {f"records-{f:05}-of-{num_files:05}" for f in files}
    made.clear()
    made.run()
    assert made.contents() == after


@FILES
def test_only_the_shards_of_a_lost_file_are_built(make, num_files):
    made = make(num_files)
    made.run()
    before = made.contents()
    for file, path in enumerate(made.settings().output_paths):
        pathlib.Path(path).unlink()
        assert made.run() == shards_of(num_files, {file})
        assert made.contents() == before


@FILES
def test_killed_while_changed_text_is_built_it_ends_as_that_or_as_before(
    make, num_files
):
    made = make(num_files)
    old = made.text.read_bytes()
    made.run()
    before = made.contents()
    made.change_text()
    new = made.text.read_bytes()
    made.run(overwrite=True)
    after = made.contents()
    for calls in itertools.count():
        made.text.write_bytes(old)
        made.run(overwrite=True)
        made.text.write_bytes(new)
        if not made.is_killed(calls, overwrite=True):
            break
        with made.kept():
            made.run(overwrite=True)
            assert made.contents() == after
        finished = made.finished()
        if finished == before:
            with pytest.raises(FileExistsError, match="other text"):
                made.run()
            assert made.finished() == before
        made.text.write_bytes(old)
        made.run(overwrite=True)
        assert made.contents() == before
    assert calls > 2


def test_changed_text_is_not_let_in_by_the_loss_of_another_file(make):
    made = make(5)
    made.run()
    made.change_text()
    _, _, third, fourth, _ = map(pathlib.Path, made.settings().output_paths)
    assert shards_of(5, {2}) == shards_of(5, {3}) == {1}
    third.unlink()
    left = fourth.read_bytes()
    with pytest.raises(FileExistsError, match="other text"):
        made.run()
    assert fourth.read_bytes() == left
