"""One build at a time on one output."""

import contextlib
import fcntl
import json
import os
import socket
import time

from text import corpus

_SUFFIX = ".lock"
# A remote lock is written again this often while its build is alive, and
# counts as left behind when it is much older.
_SECS_BETWEEN_SIGNS = 60
_SECS_OF_SILENCE = 300


@contextlib.contextmanager
def hold(names):
    """Keeps other builds off some names while the body runs.

    A local lock ends with its process, however it ends. A remote one is a file
    that says who holds it; one left behind by a killed process counts for five
    minutes, on the same machine not at all.

    Args:
        names: the items of --output_file.

    Yields:
        A function to be called now and then, which keeps remote locks young.

    Raises:
        BlockingIOError: another build is at work.
    """
    with contextlib.ExitStack() as stack:
        local = [n + _SUFFIX for n in names if not corpus.is_remote(n)]
        remote = [n + _SUFFIX for n in names if corpus.is_remote(n)]
        for path in local:
            stack.enter_context(_hold_local(path))
        for path in remote:
            _take_remote(path)
            stack.callback(corpus.remove, path)
        last = time.monotonic()

        def keep():
            nonlocal last
            if time.monotonic() - last > _SECS_BETWEEN_SIGNS:
                last = time.monotonic()
                for path in remote:
                    _sign(path)

        yield keep


@contextlib.contextmanager
def _hold_local(path):
    with open(path, "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            _refuse(path, file.read() or "another process")
        # The one who held it before may have removed the name meanwhile.
        if not _has_name(file, path):
            _refuse(path, "another process")
        file.truncate(0)
        file.write(f"process {os.getpid()} of {socket.gethostname()}")
        file.flush()
        try:
            yield
        finally:
            os.remove(path)


def _has_name(file, path):
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


def _take_remote(path):
    if corpus.exists(path):
        holder = _holder(path)
        is_here = holder["host"] == socket.gethostname()
        is_young = time.time() - holder["time"] < _SECS_OF_SILENCE
        if _is_alive(holder["process"]) if is_here else is_young:
            _refuse(
                path,
                f"process {holder['process']} of {holder['host']}; if that is "
                "dead, wait five minutes or remove the lock",
            )
    _sign(path)


def _holder(path):
    with corpus.open_binary(path) as file:
        text = file.read()
    try:
        return json.loads(text)
    except ValueError:
        # Its build was stopped before it had signed.
        return {"host": None, "process": None, "time": 0}


def _sign(path):
    holder = {
        "host": socket.gethostname(),
        "process": os.getpid(),
        "time": time.time(),
    }
    with corpus.open_binary(path, "wb") as file:
        file.write(json.dumps(holder).encode())


def _is_alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return process != os.getpid()


def _refuse(path, holder):
    raise BlockingIOError(
        f"{path.removesuffix(_SUFFIX)} is being built by {holder}"
    )
