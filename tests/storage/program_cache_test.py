"""Programs are kept where nobody else writes, and only whole ones are read."""

import os
import pathlib

import pytest

from storage import program_cache

# Three fields of a protocol buffer: a number, bytes, bytes.
_WHOLE = b"\x08\x96\x01" + b"\x12\x03abc" + b"\x1a\x80\x01" + b"x" * 128
_ENDS_OF_FIELDS = (3, 8)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv(program_cache.VARIABLE, raising=False)
    return tmp_path


def folder():
    flags = program_cache.flags(os.environ)
    (flag,) = [x for x in flags.split() if "cache_directory" in x]
    return pathlib.Path(flag.partition("=")[2])


def test_the_folder_is_the_users_own(home):
    assert folder().is_relative_to(home)
    assert folder().stat().st_mode & 0o777 == 0o700


def test_what_the_user_says_of_it_holds(monkeypatch):
    mine = "--tf_xla_persistent_cache_directory="
    monkeypatch.setenv(program_cache.VARIABLE, mine)
    assert program_cache.flags(os.environ) == mine


def test_other_flags_stay_and_have_a_folder_of_their_own(monkeypatch):
    before = folder()
    monkeypatch.setenv(program_cache.VARIABLE, "--tf_xla_auto_jit=1")
    assert program_cache.flags(os.environ).startswith("--tf_xla_auto_jit=1 ")
    assert folder() != before


def test_a_file_that_was_cut_is_not_whole(tmp_path):
    path = tmp_path / "program.pb"
    path.write_bytes(_WHOLE)
    assert program_cache.is_whole(path)
    for length in range(len(_WHOLE)):
        path.write_bytes(_WHOLE[:length])
        assert program_cache.is_whole(path) == (length in _ENDS_OF_FIELDS)
    path.write_bytes(bytes(len(_WHOLE)))
    assert not program_cache.is_whole(path)


def test_damaged_programs_and_old_ones_are_removed():
    place = folder()
    for name in ("whole.pb", "cut.pb", "old.pb", "being_written.pb.tmp"):
        (place / name).write_bytes(_WHOLE)
    (place / "cut.pb").write_bytes(_WHOLE[:-1])
    (place / "being_written.pb.tmp").write_bytes(_WHOLE[:-1])
    os.utime(place / "old.pb", (1e9, 1e9))
    folder()
    left = {path.name for path in place.iterdir()}
    assert left == {"whole.pb", "being_written.pb.tmp"}
