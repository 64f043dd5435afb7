"""Runs many jobs: in processes here, or on a Ray cluster.

An engine calls `function(job, advance)` for each job and returns the results
in the order of the jobs, an `Exception` where a job failed. A job that fails
by itself is tried once more; one whose text is wrong (`ValueError`) is not.
"""

import collections
import contextlib
import ctypes
import multiprocessing
import multiprocessing.connection
import os
import pathlib
import resource
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from multiprocessing import resource_tracker
from typing import Protocol

from absl import logging

from jobs import ray_cluster
from jobs.config import EngineSettings
from jobs.progress import Advance, Progress

_ATTEMPTS = 2
_SECS_OF_WAITING = 10
_PR_SET_PDEATHSIG = 1
# All that workers import.
SHIPPED = (
    "corpus",
    "data",
    "jobs",
    "pages",
    "settings",
    "storage",
    "text",
)
_LIMITS_OF_CONTAINERS = (
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
)


def peak_bytes() -> int:
    """Returns the memory of the process that took most, this or a worker."""
    return 1024 * max(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )


class Job(Protocol):
    """What an engine has to know of a job."""

    @property
    def name(self) -> str:
        """What messages call it: `shard 3`."""

    @property
    def num_bytes(self) -> int:
        """How much text it works on."""

    @property
    def memory_bytes(self) -> int:
        """How much memory a process needs for it."""


def run_all(
    settings: EngineSettings, title: str, function: Callable, jobs: Sequence
) -> list:
    """Runs jobs, and shows how far they are; none may fail.

    Args:
        title: what the progress calls it.
        function, jobs: as of `run`; a job also says its `place`, for errors.

    Returns:
        The results, in the order of the jobs.

    Raises:
        ValueError: some failed; names them. The others are done.
    """
    if not jobs:
        return []
    total = sum(job.num_bytes for job in jobs)
    with Progress(title, total, "B") as progress:
        results = run(settings, function, jobs, progress.advance)
    failed = [
        f"{job.name} ({job.place}): {result}"
        for job, result in zip(jobs, results, strict=True)
        if isinstance(result, Exception)
    ]
    if failed:
        raise ValueError(
            f"{len(failed)} of {len(jobs)} shards failed, the others are kept "
            "for the next run:\n" + "\n".join(failed)
        )
    return results


def run(
    settings: EngineSettings,
    function: Callable,
    jobs: Sequence[Job],
    advance: Advance,
) -> list:
    """Runs jobs, see above.

    Args:
        function: of a module or an object's, sent to each worker once; given a
            job and a function to tell progress.
        advance: is told how much is done, in bytes of text.

    Raises:
        ValueError: there is one job and its text is wrong.
    """
    if settings.engine == "ray":
        return _run_on_ray(settings.ray_address, function, jobs, advance)
    if len(jobs) == 1:
        return [function(jobs[0], advance)]
    return _run_here(
        _num_workers(settings.num_workers, jobs), function, jobs, advance
    )


def _num_workers(wanted, jobs):
    if wanted:
        return min(wanted, len(jobs))
    cores = len(os.sched_getaffinity(0))
    needed = max(job.memory_bytes for job in jobs)
    fitting = max(1, _available_bytes() // needed)
    if fitting < min(cores, len(jobs)):
        logging.info(
            "%d workers at a time, not %d: memory is left for no more shards; "
            "a smaller --shard_megabytes takes less",
            fitting,
            cores,
        )
    return min(cores, fitting, len(jobs))


def _available_bytes():
    """Memory that may still be taken, by the machine and by its container."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limits = [pages]
    for line in _lines("/proc/meminfo"):
        if line.startswith("MemAvailable:"):
            limits.append(int(line.split()[1]) * 1024)
    for path in _LIMITS_OF_CONTAINERS:
        limits += [int(x) for x in _lines(path) if x.strip().isdecimal()]
    return min(limits)


def _lines(path):
    try:
        return pathlib.Path(path).read_text().splitlines()
    except OSError:
        return []


def _run_here(num_workers, function, jobs, advance):
    waiting = collections.deque((index, 1) for index in range(len(jobs)))
    results = [None] * len(jobs)
    workers = {}
    try:
        while waiting or workers:
            while waiting and len(workers) < num_workers:
                worker = _Worker(function, advance)
                workers[worker.connection] = worker
                worker.begin(jobs, *waiting.popleft())
            for connection in multiprocessing.connection.wait(workers):
                worker = workers[connection]
                if not worker.receive():
                    continue
                results[worker.index] = worker.result
                if worker.should_be_tried_again():
                    waiting.appendleft((worker.index, worker.attempt + 1))
                if worker.is_alive and waiting:
                    worker.begin(jobs, *waiting.popleft())
                else:
                    del workers[connection]
                    worker.end()
    finally:
        for worker in workers.values():
            worker.process.kill()
    return results


class _Worker:
    """A process that runs one job after another."""

    def __init__(self, function: Callable, advance: Advance):
        context = multiprocessing.get_context("spawn")
        self.connection, other = context.Pipe()
        self.is_alive = True
        self._advance = advance
        self.process = context.Process(
            target=_work, args=(other, os.getpid(), function), daemon=True
        )
        # Started here: it would undo what is done to the signals below.
        resource_tracker.ensure_running()
        # The new process inherits the mask: until it has said that it ignores
        # Ctrl-C, which the build hears of too, none reaches it.
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        try:
            self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
        other.close()

    def begin(self, jobs: Sequence, index: int, attempt: int) -> None:
        """Gives the process job number `index`, for the `attempt`th time."""
        self.index, self.attempt = index, attempt
        self.result = None
        self._told = 0
        self._name = jobs[index].name
        # A process that died meanwhile is noticed where it is listened to.
        with contextlib.suppress(OSError):
            self.connection.send(jobs[index])

    def receive(self) -> bool:
        """Takes one message; returns whether it was the job's last."""
        try:
            kind, value = self.connection.recv()
        except (EOFError, OSError):
            self.process.join()
            self.is_alive = False
            kind = "end"
            value = RuntimeError(
                "the process ended with status "
                f"{self.process.exitcode}; was there memory for it?"
            )
        if kind == "advance":
            self._told += value
            self._advance(value)
            return False
        self.result = value
        return True

    def should_be_tried_again(self) -> bool:
        if not _should_be_tried_again(self._name, self.attempt, self.result):
            return False
        self._advance(-self._told)
        return True

    def end(self) -> None:
        """Lets the process go, which has no job."""
        self.connection.close()
        self.process.join()


def _should_be_tried_again(name, attempt, result):
    if not isinstance(result, Exception) or isinstance(result, ValueError):
        return False
    logging.warning(
        "%s failed (%s)%s",
        name,
        result,
        "; it is tried again" if attempt < _ATTEMPTS else "",
    )
    return attempt < _ATTEMPTS


def _work(connection, parent, function):
    """What a worker's process does."""
    _die_with(parent)
    # The build hears of Ctrl-C too and ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    logging.use_absl_handler()
    logging.set_verbosity(logging.WARNING)
    # The build closes its end, or ends, when there is nothing more to do.
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            connection.send(("end", _run_job(connection, function)))


def _run_job(connection, function):
    """Waits for a job; returns its result, or the error it ended with."""
    job = connection.recv()
    try:
        return function(job, lambda n: connection.send(("advance", n)))
    except BrokenPipeError:
        raise
    except (ValueError, OSError) as error:
        return error if type(error) is ValueError else OSError(str(error))
    except Exception as error:
        traceback.print_exc()
        return RuntimeError(f"{type(error).__name__}: {error}")


def _die_with(parent):
    """A killed build leaves no worker behind that writes to its files."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _run_on_ray(address, function, jobs, advance):
    with ray_cluster.connected(address, SHIPPED) as ray:
        return _run_ray_tasks(ray, function, jobs, advance)


def _run_ray_tasks(ray, function, jobs, advance):
    # Ray itself tries again where a machine is lost.
    task = ray.remote(num_cpus=1, max_retries=3)(_run_task)
    shared = ray.put(function)
    results = [None] * len(jobs)
    running = {task.remote(shared, job): (i, 1) for i, job in enumerate(jobs)}
    while running:
        ended, _ = ray.wait(list(running), timeout=_SECS_OF_WAITING)
        for reference in ended:
            index, attempt = running.pop(reference)
            try:
                results[index] = ray.get(reference)
            except ray.exceptions.RayTaskError as error:
                results[index] = error.cause or error
            except ray.exceptions.RayError as error:
                results[index] = error
            job = jobs[index]
            if _should_be_tried_again(job.name, attempt, results[index]):
                running[task.remote(shared, job)] = index, attempt + 1
            else:
                advance(job.num_bytes)
    return results


def _run_task(function, job):
    return function(job, lambda num_bytes: None)
