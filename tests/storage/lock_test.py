"""One build at a time on one output, however the others ended."""

import contextlib
import json
import os
import subprocess
import sys
import time

import pytest

from data.building import build
from storage import lock
from tests import project
from tests.data import built

HOLD = """
import sys, time
from storage import lock
with lock.hold(sys.argv[1:]):
    print("held", flush=True)
    time.sleep(60)
"""
# Makes a file that must not be there yet, as often as it gets the lock.
COMPETE = """
import os, sys
from storage import lock
held = 0
while held < 100:
    try:
        with lock.hold(sys.argv[1:]):
            os.close(os.open(sys.argv[1], os.O_CREAT | os.O_EXCL))
            os.remove(sys.argv[1])
            held += 1
    except BlockingIOError:
        pass
"""


def start(program, *names):
    return subprocess.Popen(
        [sys.executable, "-c", program, *names],
        env=project.environment(),
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def holder(tmp_path):
    """Starts a process that holds names; ends it where the test did not."""
    started = []

    def hold(*names):
        started.append(start(HOLD, *names))
        assert started[-1].stdout.readline() == "held\n"
        return started[-1]

    yield hold
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


@contextlib.contextmanager
def refused(name):
    with pytest.raises(BlockingIOError) as caught:
        yield
    assert f"{name} is being built by " in str(caught.value)
    assert "\n" not in str(caught.value)


SCHEMES = pytest.mark.parametrize("scheme", ["", "file://"])


@SCHEMES
def test_a_name_is_held_by_one_process_until_it_is_killed(
    tmp_path, holder, scheme
):
    name, other = (f"{scheme}{tmp_path}/{x}" for x in ("name", "other"))
    process = holder(name)
    for names in ([name], [other, name], [name, other]):
        with refused(name), lock.hold(names):
            pytest.fail("the lock was taken twice")
    # Those before the one that is held are free again.
    with lock.hold([other]):
        pass
    process.kill()
    process.wait()
    with lock.hold([name]):
        pass
    assert not os.listdir(tmp_path)


@SCHEMES
def test_the_holder_is_named(tmp_path, holder, scheme):
    name = f"{scheme}{tmp_path}/name"
    process = holder(name)
    said = f"process {process.pid} of "
    with pytest.raises(BlockingIOError, match=said), lock.hold([name]):
        pytest.fail("the lock was taken twice")


@SCHEMES
def test_an_error_frees_the_name(tmp_path, scheme):
    with pytest.raises(KeyError), lock.hold([f"{scheme}{tmp_path}/name"]):
        raise KeyError
    assert not os.listdir(tmp_path)


def test_processes_in_a_hurry_never_hold_a_name_together(tmp_path):
    name = str(tmp_path / "name")
    processes = [start(COMPETE, name) for _ in range(4)]
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    assert not os.listdir(tmp_path)


def sign(path, **changes):
    holder = {"host": "another", "process": 1, "time": time.time()} | changes
    path.write_text(json.dumps(holder))


def test_a_lock_of_another_machine_counts_while_it_is_young(tmp_path):
    name = f"file://{tmp_path}/name"
    path = tmp_path / "name.lock"
    sign(path, time=time.time() - 200)
    with refused(name), lock.hold([name]):
        pytest.fail("the lock was taken")
    assert path.exists()
    for old in (lambda: sign(path, time=time.time() - 400), path.touch):
        path.unlink(missing_ok=True)
        old()
        with lock.hold([name]):
            assert json.loads(path.read_text())["process"] == os.getpid()
        assert not path.exists()


def test_a_long_build_keeps_its_remote_lock_young(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "_SECS_BETWEEN_SIGNS", 0)
    ages = []
    sign_now = lock._sign

    def sign_and_count(path):
        sign_now(path)
        ages.append(json.loads((tmp_path / "made.lock").read_text())["time"])

    monkeypatch.setattr(lock, "_sign", sign_and_count)
    settings = built.make_config(
        tmp_path, output_file=f"file://{tmp_path}/made"
    )
    build.build(settings)
    assert len(ages) > 5
    assert ages == sorted(ages)


@SCHEMES
def test_a_second_build_is_refused_and_one_beside_it_is_not(
    tmp_path, holder, scheme
):
    folder = tmp_path / "made"
    folder.mkdir()
    name = f"{scheme}{folder}/records@2"
    holder(name)
    with refused(name):
        built.build_only(tmp_path, output_file=name)
    assert os.listdir(folder) == ["records@2.lock"]
    built.build_only(tmp_path, output_file=f"{scheme}{folder}/others@2")
    assert len(os.listdir(folder)) == 4
