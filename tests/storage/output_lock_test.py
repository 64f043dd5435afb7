"""A lock holds an output however it is spelled, and follows no link."""

import errno
import json
import os
import time

import pytest

import config_flags
from storage import lock
from tests.data import built


def refused(name):
    """The error of a second one, in this process, on an output."""
    with pytest.raises(OSError) as caught, lock.hold([name]):
        pytest.fail(f"{name} was taken twice")
    assert isinstance(caught.value, BlockingIOError)
    return caught.value


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("@/made/a", "@/made/../made/./a"),
        ("@/made/a", "@/link/a"),
        ("@/made//a", "@/link/../made/a"),
        ("@/made/a@2", "@/made/a-00000-of-00002"),
        ("@/made/a@2", "@/link/a-00001-of-00002"),
        ("@/made/a@002", "@/made/a@2"),
    ],
)
def test_two_spellings_of_an_output_are_one(tmp_path, one, other):
    (tmp_path / "made").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "made")
    one, other = (name.replace("@/", f"{tmp_path}/") for name in (one, other))
    for first, second in ((one, other), (other, one)):
        with lock.hold([first]):
            assert f"{second} is being built by " in str(refused(second))
    assert lock.canonical(one) == lock.canonical(other)


def test_a_path_from_here_is_the_same_as_one_from_the_root(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with lock.hold(["a"]):
        refused(f"{tmp_path}/a")
        refused("./a")


def test_other_outputs_are_free(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    names = [f"{tmp_path}/{x}" for x in ("a@2", "a@3", "a", "b", "ab@2")]
    # Of a link to a file the name counts: a rename replaces the link.
    with lock.hold(names[:1]), lock.hold(names[1:]):
        assert len(os.listdir(tmp_path)) == 1 + len(names)


def test_an_output_named_in_two_ways_is_refused_at_the_flag(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(ValueError, match="--output_file names a file twice"):
        built.make_config(
            tmp_path, output_file=f"{tmp_path}/a,{tmp_path}/link/a"
        )


def test_a_link_is_refused_and_what_it_points_to_stays(tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("precious\n")
    (tmp_path / "a.lock").symlink_to(precious)
    path = f"{tmp_path}/a.lock"
    with (
        pytest.raises(ValueError, match=f"^{path} is a link and no lock"),
        lock.hold([f"{tmp_path}/a"]),
    ):
        pytest.fail("a link was taken for a lock")
    assert precious.read_text() == "precious\n"
    assert os.path.islink(path)
    precious.unlink()
    with pytest.raises(ValueError, match="is a link"):
        built.build_only(tmp_path, output_file=f"{tmp_path}/a")
    assert not precious.exists()


def test_a_pipe_under_the_name_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.lock")
    with (
        pytest.raises(ValueError, match="a.lock is no file and no lock"),
        lock.hold([f"{tmp_path}/a"]),
    ):
        pytest.fail("a pipe was taken for a lock")


def test_what_a_dead_process_wrote_into_its_lock_does_not_matter(tmp_path):
    path = tmp_path / "a.lock"
    path.write_bytes(b"\xff\xfe process 1 of a machine with a long name" * 9)
    with lock.hold([f"{tmp_path}/a"]):
        wanted = f"process {os.getpid()} of "
        assert path.read_text().startswith(wanted)
        assert path.read_text().count("process") == 1
        assert wanted in str(refused(f"{tmp_path}/a"))
    assert not path.exists()


@pytest.fixture
def hold_elsewhere(tmp_path):
    """Lets a process of another machine hold the output a."""
    holder = {"host": "another", "process": 1, "time": time.time()}
    (tmp_path / "a.lock").write_text(json.dumps(holder))
    return f"file://{tmp_path}/a"


def test_who_waits_for_another_machine_is_told_how_long(hold_elsewhere):
    error = refused(hold_elsewhere)
    assert type(error) is lock.HeldElsewhereError
    assert "process 1 of another; if that is dead, wait five" in str(error)


@pytest.mark.parametrize(("is_remote", "status"), [(True, 3), (False, 1)])
def test_only_a_lock_that_may_pass_ends_with_status_3(
    tmp_path, monkeypatch, capsys, hold_elsewhere, is_remote, status
):
    name = hold_elsewhere if is_remote else f"{tmp_path}/b"

    def work(config):
        with lock.hold([name]):
            pytest.fail("the lock was taken twice")

    monkeypatch.setattr(config_flags, "define", lambda _: lambda: None)
    monkeypatch.setattr(
        config_flags.app, "run", lambda main, **_: main(["prog"])
    )
    with (
        lock.hold([f"{tmp_path}/b"]),
        pytest.raises(SystemExit) as ended,
    ):
        config_flags.run(work, None)
    assert ended.value.code == status
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"error: {name} is being built by process ")


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "{",
        "[]",
        '{"host": "x"}',
        '{"host": "x", "process": 1, "time": "now"}',
        '{"host": 5, "process": 1, "time": 0}',
        '{"host": null, "process": null, "time": 0}',
    ],
)
def test_a_remote_lock_that_nobody_signed_counts_for_nothing(tmp_path, damage):
    (tmp_path / "a.lock").write_text(damage)
    with lock.hold([f"file://{tmp_path}/a"]):
        held = json.loads((tmp_path / "a.lock").read_text())
        assert held["process"] == os.getpid()
    assert os.listdir(tmp_path) == []


def test_a_folder_that_is_not_there_is_no_other_process(tmp_path):
    with pytest.raises(OSError) as caught, lock.hold([f"{tmp_path}/none/a"]):
        pytest.fail("there is no such folder")
    assert caught.value.errno == errno.ENOENT
    assert not isinstance(caught.value, BlockingIOError)
