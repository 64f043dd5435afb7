"""Runs programs one after another, one on each core, and once only.

A job leaves `command.json` in its folder when it begins and `done` when it has
ended well: given again, jobs that are done are left alone and one that was
stopped is given the same command again. One that was begun by another command
is refused.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

from storage import file_io, json_files
from training import signals

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_LOG = "log.txt"
_COMMAND = "command.json"
_DONE = "done"
_SECS = 0.2
_LINES_SHOWN = 3
# So that the seconds of all are those of one core.
_ONE_THREAD = {
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Job:
    """A program to run.

    Args:
        name: what to call it.
        folder: what it writes in, from the race's folder.
        arguments: a script of ours, and its flags.
        after: the job that makes what this one reads.
    """

    name: str
    folder: str
    arguments: tuple[str, ...]
    after: "Job | None" = None


def run(jobs: Sequence[Job], directory: str, cores: Sequence[int]) -> list[Job]:
    """Runs all jobs that are not done, in order; returns those that failed.

    Args:
        jobs: one comes behind the one that it is after.
        directory: where they run; paths of their flags count from here.
        cores: a job at a time on each of these; none is one at a time, on
            all cores.

    Raises:
        ValueError: a job was begun with other flags.
        signals.Stopped: a signal asked for the end, and the jobs have ended.
    """
    for job in jobs:
        _refuse_other_command(job, directory)
    lanes = [f"taskset -c {core}".split() for core in cores] or [[]]
    waiting = [job for job in jobs if not is_done(job, directory)]
    failed: list[Job] = []
    with _asked_to_stop() as is_asked:
        running: dict[int, tuple[Job, subprocess.Popen]] = {}
        while (waiting and not is_asked) or running:
            for lane in set(range(len(lanes))) - running.keys():
                job = None if is_asked else _next(waiting, running, failed)
                if job:
                    running[lane] = (job, _start(job, directory, lanes[lane]))
            time.sleep(_SECS)
            if is_asked:
                _terminate(running, is_asked)
            for lane, (job, process) in list(running.items()):
                if process.poll() is None:
                    continue
                del running[lane]
                # One that is told to end as it starts has no handler yet.
                if not _ends_well(job, process, directory) and not is_asked:
                    failed.append(job)
                    _show_end(job, process, directory)
    if is_asked:
        raise signals.Stopped("stopped by a signal; the same command goes on")
    return failed


def is_done(job: Job, directory: str) -> bool:
    return os.path.exists(os.path.join(directory, job.folder, _DONE))


def _refuse_other_command(job, directory):
    path = os.path.join(directory, job.folder, _COMMAND)
    before = json_files.read_or_none(path, [str])
    if before is not None and tuple(before) != job.arguments:
        changed = set(before) ^ set(job.arguments)
        raise ValueError(
            f"{os.path.join(directory, job.folder)} was made with other flags "
            f"({' '.join(sorted(changed))}): remove it, or name another "
            "--output_dir"
        )


def _next(waiting, running, failed):
    """Takes the first job whose work before it is done."""
    unready = {id(job) for job in waiting}
    unready |= {id(job) for job, _ in running.values()}
    for job in list(waiting):
        if job.after in failed:
            waiting.remove(job)
            failed.append(job)
        elif id(job.after) not in unready:
            waiting.remove(job)
            return job
    return None


def _start(job, directory, prefix):
    folder = os.path.join(directory, job.folder)
    file_io.make_directory(folder)
    file_io.write_lines(
        os.path.join(folder, _COMMAND), [json.dumps(job.arguments)]
    )
    print(f"{time.strftime('%H:%M:%S')} {job.name}", flush=True)
    script, *flags = job.arguments
    with open(os.path.join(folder, _LOG), "ab") as log:
        return subprocess.Popen(
            [*prefix, sys.executable, str(_ROOT / script), *flags],
            cwd=directory,
            env=os.environ | (_ONE_THREAD if prefix else {}),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # A Ctrl-C is ours alone: we hand it on once.
            start_new_session=True,
        )


def _ends_well(job, process, directory):
    folder = os.path.join(directory, job.folder)
    if process.returncode == 0:
        file_io.write_lines(os.path.join(folder, _DONE), [])
        return True
    return False


def _show_end(job, process, directory):
    log = pathlib.Path(directory, job.folder, _LOG)
    lines = log.read_text(errors="replace").splitlines()
    print(f"{job.name} failed ({process.returncode}): {log}")
    print(*(f"  {line}" for line in lines[-_LINES_SHOWN:]), sep="\n")


def _terminate(running, is_asked):
    """Asks each running job once to save and end."""
    for job, process in running.values():
        if job.folder not in is_asked:
            process.terminate()
            is_asked.append(job.folder)


@contextlib.contextmanager
def _asked_to_stop() -> Iterator[list[str]]:
    """Yields a list that a signal puts something in."""
    asked: list[str] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [
        signal.signal(number, lambda *_: asked.append("a signal"))
        for number in numbers
    ]
    try:
        yield asked
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
