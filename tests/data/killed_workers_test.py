"""A build of several shards, in processes of its own, that meets signals."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from tests import project
from tests.data import built

PROGRAM = """
import json, signal, sys
# A shell lets what it starts in the background ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)
from absl import logging
from data import config
from data.building import build, shards
shards._BYTES_A_MEGABYTE = 20_000
logging.set_verbosity(logging.INFO)
build.build(config.BuildConfig(**json.loads(sys.argv[1])))
"""
NUM_SHARDS = 3
DEADLINE_SECS = 600


class Build:
    """A running build of samples/."""

    def __init__(self, directory):
        self.folder = directory / "made"
        flags = {
            "input_file": ",".join(project.SAMPLES),
            "output_file": f"{self.folder}/records@2",
            "vocab_file": built.make_config(directory).vocab_file,
            "dupe_factor": 100,
            "shard_megabytes": 1,
            "num_workers": 2,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, json.dumps(flags)],
            env=project.environment(),
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def end(self):
        """Returns what it said."""
        _, said = self.process.communicate(timeout=DEADLINE_SECS)
        return said

    def workers(self):
        """Stops all once one writes records; returns it and the others.

        A busy machine may take longer to list them than they have to do.
        """
        files = self.folder.glob
        until(lambda: list(files("*.unfinished/*.tmp")))
        os.killpg(self.process.pid, signal.SIGSTOP)
        (writer, *_) = files("*.unfinished/*.tmp")
        found = {
            child
            for child in children(self.process.pid)
            if "spawn_main" in command(child)
        }
        first = int(writer.stem.rpartition("-")[2])
        return [first, *(found - {first})]

    def go_on(self):
        os.killpg(self.process.pid, signal.SIGCONT)

    def contents(self):
        return {path.name: path.read_bytes() for path in self.folder.iterdir()}


def until(condition):
    deadline = time.monotonic() + DEADLINE_SECS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def status(process, *names):
    """Values of /proc, empty where there is no such process."""
    try:
        text = pathlib.Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return [""] * len(names)
    values = dict(line.split(":", 1) for line in text.splitlines())
    return [values[name].strip() for name in names]


def command(process):
    try:
        return pathlib.Path(f"/proc/{process}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def children(parent):
    numbers = [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    return [n for n in numbers if status(n, "PPid") == [str(parent)]]


def is_gone(process):
    (state,) = status(process, "State")
    return state[:1] in ("", "Z", "X")


pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="reads /proc, which only Linux has"
)


@pytest.fixture(scope="module")
def wanted(tmp_path_factory):
    build = Build(tmp_path_factory.mktemp("whole"))
    said = build.end()
    contents = build.contents()
    assert len(contents) == 3, said
    return contents


def test_a_killed_build_leaves_no_worker_and_a_rerun_ends_the_same(
    tmp_path, wanted
):
    build = Build(tmp_path)
    workers = build.workers()
    build.process.kill()
    build.go_on()
    build.end()
    again = Build(tmp_path)
    until(lambda: all(map(is_gone, workers)))
    said = again.end()
    assert again.contents() == wanted, said


def test_what_is_whole_is_kept_when_all_processes_are_killed(tmp_path, wanted):
    build = Build(tmp_path)
    folder = build.folder / "records-00000-of-00002.unfinished"
    until(lambda: list(folder.glob("shard-*.json")))
    os.killpg(build.process.pid, signal.SIGKILL)
    build.end()
    num_kept = len(list(folder.glob("shard-*.json")))
    assert 0 < num_kept < NUM_SHARDS
    again = Build(tmp_path)
    said = again.end()
    assert f"{num_kept} of {NUM_SHARDS} shards are built already" in said
    assert again.contents() == wanted


def test_a_worker_killed_from_outside_is_replaced(tmp_path, wanted):
    build = Build(tmp_path)
    os.kill(build.workers()[0], signal.SIGKILL)
    build.go_on()
    said = build.end()
    assert build.process.returncode == 0
    assert "failed (the process ended with status -9" in said
    assert said.count("it is tried again") == 1
    assert build.contents() == wanted


def test_an_interrupt_ends_all_processes_with_one_traceback(tmp_path, wanted):
    build = Build(tmp_path)
    workers = build.workers()
    os.killpg(build.process.pid, signal.SIGINT)
    build.go_on()
    said = build.end()
    assert build.process.returncode, said
    assert said.count("Traceback") == 1
    assert said.rstrip().endswith("KeyboardInterrupt")
    until(lambda: all(map(is_gone, workers)))
    again = Build(tmp_path)
    said = again.end()
    assert again.contents() == wanted, said
