"""Runs the shards of a build: in processes here, or on a Ray cluster.

An engine calls `function(job, advance)` for each job and returns the results
in the order of the jobs, an `Exception` where a job failed. A job that fails
by itself is tried once more; one whose text is wrong (`ValueError`) is not.
"""

import ctypes
import multiprocessing
import multiprocessing.connection
import os
import pathlib
import signal
import socket
import sys
import traceback

from absl import logging

_ATTEMPTS = 2
_SECS_OF_WAITING = 10
_PR_SET_PDEATHSIG = 1
_LIMITS_OF_CONTAINERS = (
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
)
# What a worker needs: this many times its text, and a little.
_BYTES_A_BYTE, _BYTES_BESIDE = 3, 500_000_000


def run(config, function, jobs, advance, keep):
    """Runs `jobs`, see above.

    Args:
        config: a `data.config.BuildConfig`.
        function: of a module; given a job and a function to tell progress.
        jobs: with a `shard` each.
        advance: is told how much is done, in bytes of text.
        keep: is called now and then.

    Raises:
        ValueError: there is one job and its text is wrong.
    """
    if config.engine == "ray":
        return _run_on_ray(config.ray_address, function, jobs, advance, keep)
    if len(jobs) == 1:
        return [function(jobs[0], _both(advance, keep))]
    return _run_here(_num_workers(config, jobs), function, jobs, advance, keep)


def _both(advance, keep):
    def tell(num_bytes):
        advance(num_bytes)
        keep()

    return tell


def _num_workers(config, jobs):
    if config.num_workers:
        return min(config.num_workers, len(jobs))
    cores = len(os.sched_getaffinity(0))
    longest = max(job.shard.num_bytes for job in jobs)
    needed = _BYTES_A_BYTE * longest + _BYTES_BESIDE
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


def _run_here(num_workers, function, jobs, advance, keep):
    waiting = [(index, 1) for index in range(len(jobs))]
    results = [None] * len(jobs)
    workers = {}
    try:
        while waiting or workers:
            while waiting and len(workers) < num_workers:
                index, attempt = waiting.pop(0)
                worker = _Worker(function, jobs[index], index, attempt)
                workers[worker.connection] = worker
            ready = multiprocessing.connection.wait(workers, _SECS_OF_WAITING)
            for connection in ready:
                worker = workers[connection]
                if not worker.receive(advance):
                    continue
                del workers[connection]
                results[worker.index] = worker.result
                if worker.should_be_tried_again():
                    advance(-worker.told)
                    waiting.insert(0, (worker.index, worker.attempt + 1))
            keep()
    finally:
        for worker in workers.values():
            worker.process.kill()
    return results


class _Worker:
    """A process that runs one job."""

    def __init__(self, function, job, index, attempt):
        context = multiprocessing.get_context("spawn")
        self.connection, other = context.Pipe(duplex=False)
        self.index, self.attempt = index, attempt
        self.told = 0
        self.result = None
        self._shard = job.shard
        self.process = context.Process(
            target=_work, args=(other, os.getpid(), function, job)
        )
        self.process.start()
        other.close()

    def receive(self, advance):
        """Takes one message; returns whether it was the last."""
        try:
            kind, value = self.connection.recv()
        except (EOFError, OSError):
            self.process.join()
            kind = "end"
            value = RuntimeError(
                "the process ended with status "
                f"{self.process.exitcode}; was there memory for it?"
            )
        if kind == "advance":
            self.told += value
            advance(value)
            return False
        self.result = value
        self.connection.close()
        self.process.join()
        return True

    def should_be_tried_again(self):
        return _should_be_tried_again(self._shard, self.attempt, self.result)


def _should_be_tried_again(shard, attempt, result):
    if not isinstance(result, Exception) or isinstance(result, ValueError):
        return False
    logging.warning(
        "shard %d failed (%s)%s",
        shard.index,
        result,
        "; it is tried again" if attempt < _ATTEMPTS else "",
    )
    return attempt < _ATTEMPTS


def _work(connection, parent, function, job):
    """What a worker's process does."""
    _die_with(parent)
    # The build hears of Ctrl-C too and ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.use_absl_handler()
    logging.set_verbosity(logging.WARNING)
    try:
        result = function(job, lambda n: connection.send(("advance", n)))
    except BrokenPipeError:
        return
    except (ValueError, OSError) as error:
        result = error if type(error) is ValueError else OSError(str(error))
    except Exception as error:
        traceback.print_exc()
        result = RuntimeError(f"{type(error).__name__}: {error}")
    connection.send(("end", result))


def _die_with(parent):
    """A killed build leaves no worker behind that writes to its files."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _run_on_ray(address, function, jobs, advance, keep):
    try:
        import ray
    except ImportError:
        raise ValueError(
            "--engine=ray needs the package ray: pip install -e '.[ray]'"
        ) from None
    _check_address(address)
    root = pathlib.Path(__file__).resolve().parents[1]
    modules = [str(root / name) for name in ("data", "text")]
    try:
        ray.init(
            address,
            runtime_env={"py_modules": modules},
            log_to_driver=False,
            logging_level="warning",
        )
    except (ConnectionError, ValueError) as error:
        raise ValueError(f"--ray_address={address}: {error}") from None
    try:
        return _run_ray_tasks(ray, function, jobs, advance, keep)
    finally:
        ray.shutdown()


def _check_address(address):
    """Knocks first: Ray itself would wait for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), _SECS_OF_WAITING).close()
    except OSError as error:
        raise ConnectionError(
            f"--ray_address={address}: no answer ({error}); does the cluster "
            "run, and is it that of `ray start --head`?"
        ) from None


def _run_ray_tasks(ray, function, jobs, advance, keep):
    # Ray itself tries again where a machine is lost.
    task = ray.remote(num_cpus=1, max_retries=3)(function)
    results = [None] * len(jobs)
    running = {
        task.remote(job, _tell_nobody): (i, 1) for i, job in enumerate(jobs)
    }
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
            shard = jobs[index].shard
            if _should_be_tried_again(shard, attempt, results[index]):
                again = task.remote(jobs[index], _tell_nobody)
                running[again] = index, attempt + 1
            else:
                advance(shard.num_bytes)
        keep()
    return results


def _tell_nobody(_):
    pass
