"""Measures programs as whole processes: time, processor time, peak memory."""

import os
import pathlib
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

_ROOT = pathlib.Path(__file__).resolve().parents[1]
_SECS_BETWEEN_SAMPLES = 0.1


class Run(NamedTuple):
    """What one run of a program took, its children counted."""

    wall_secs: float
    cpu_secs: float
    peak_mb: float


def measure(name: str, command: Sequence[str], on_one_core: bool) -> Run:
    """Runs a program, from the root of the project, to its end."""
    start = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=_ROOT,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": "-1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=_stay_on_one_core if on_one_core else None,
    )
    peak = [0]
    sampler = threading.Thread(target=_sample, args=(process, peak))
    sampler.start()
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    sampler.join()
    if process.returncode:
        sys.exit(f"{name} failed:\n{said.decode()[-2000:]}")
    cpu = usage.ru_utime + usage.ru_stime
    return Run(wall, cpu, max(peak[0], usage.ru_maxrss * 1024) / 1e6)


def median(runs: Sequence[Run]) -> Run:
    """Returns the median of each figure."""
    return Run(*map(statistics.median, zip(*runs, strict=True)))


def _stay_on_one_core():
    os.sched_setaffinity(0, {0})


def _sample(process, peak):
    """Keeps the most memory that a process and its children took at once."""
    while process.returncode is None:
        peak[0] = max(peak[0], bytes_of(process.pid))
        time.sleep(_SECS_BETWEEN_SAMPLES)


def bytes_of(pid: int) -> int:
    """Returns the memory that a process and its children have now."""
    return sum(map(_bytes_of, _tree(pid)))


def cpu_secs_of(pid: int) -> float:
    """Returns what the threads of a process spent on a processor so far."""
    text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    # The second field is a name, which may have spaces in it.
    fields = text.rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _tree(pid):
    yield pid
    try:
        text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return
    for child in text.split():
        yield from _tree(int(child))


def _bytes_of(pid):
    try:
        pages = pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
