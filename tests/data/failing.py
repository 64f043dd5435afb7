"""Jobs for worker processes: some fail, and they note what they did."""

import os
import pathlib
import signal
import time
from typing import NamedTuple

from data.building.shards import Piece, Shard


class Job(NamedTuple):
    """A job of a shard whose number its result is."""

    folder: str
    shard: Shard
    num_failures: int = 0
    seconds: float = 0.0

    @property
    def name(self):
        return f"shard {self.shard.index}"

    @property
    def num_bytes(self):
        return self.shard.num_bytes

    @property
    def memory_bytes(self):
        return 1


def job(folder, number, **settings):
    shard = Shard(number, 0, (Piece("text", 0, 100),))
    return Job(str(folder), shard, **settings)


def attempts(folder, number):
    """How often a job was begun."""
    path = pathlib.Path(folder, f"{number}.begun")
    return len(path.read_text()) if path.exists() else 0


def _begin(job):
    """Notes one more attempt; returns whether it is one that should fail."""
    with open(f"{job.folder}/{job.shard.index}.begun", "a") as file:
        file.write("x")
    return attempts(job.folder, job.shard.index) <= job.num_failures


def note_when(job, advance):
    """Notes when it began and ended."""
    begin = time.monotonic()
    time.sleep(job.seconds)
    path = pathlib.Path(job.folder, f"{job.shard.index}.times")
    path.write_text(f"{begin} {time.monotonic()}")
    advance(60)
    advance(40)
    return job.shard.index


def be_killed(job, advance):
    """Is killed in the middle, as by a system that is short of memory."""
    advance(60)
    if _begin(job):
        os.kill(os.getpid(), signal.SIGKILL)
    advance(40)
    return job.shard.index


def leave_half_a_message(job, advance):
    """Is killed while it tells how far it is."""
    if _begin(job):
        (cell,) = advance.__closure__
        # A message of 256 bytes, it says.
        os.write(cell.cell_contents.fileno(), b"\0\0\1\0half")
        os.kill(os.getpid(), signal.SIGKILL)
    return job.shard.index


def find_wrong_text(job, advance):
    if _begin(job):
        raise ValueError("text: not UTF-8 at byte 7")
    return job.shard.index


def find_a_full_disk(job, advance):
    if _begin(job):
        raise OSError(28, "No space left on device", "made")
    return job.shard.index


def make_a_mistake(job, advance):
    if _begin(job):
        raise KeyError("there is no such key")
    return job.shard.index


def say_who_works(job, advance):
    return os.getpid()


def tell_and_wait(job, advance):
    advance(1)
    time.sleep(job.seconds)
