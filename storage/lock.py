"""One process at a time on one output.

A local lock ends with its process, however it ends. A remote one is a file that
says who holds it, written again while its process is alive; one left behind by
a killed process counts for five minutes, on the same machine not at all.
"""

import contextlib
import errno
import fcntl
import os
import re
import socket
import stat
import threading
import time
from collections.abc import Iterable, Iterator

from storage import file_io, json_files

_SUFFIX = ".lock"
# A remote lock is written again this often while its process is alive, and
# counts as left behind when it is much older.
_SECS_BETWEEN_SIGNS = 60
_SECS_OF_SILENCE = 300
_HOLDER = {"host": (str, None), "process": (int, None), "time": float}
_NOBODY = {"host": None, "process": None, "time": 0}


class HeldElsewhereError(BlockingIOError, ConnectionError):
    """A process of another machine holds the lock, or has left it behind.

    The same command may succeed some minutes later.
    """


@contextlib.contextmanager
def hold(names: Iterable[str], doing: str = "built") -> Iterator[None]:
    """Keeps other processes off some names while the body runs.

    Args:
        names: outputs; name@N stands for its N files, so that these, spelled
            out, are the same. A link to a folder is that folder.
        doing: what the others are refused with: the name is being built.

    Raises:
        BlockingIOError: another process is at work.
        ValueError: what stands at the name of the lock is no lock.
    """
    locks = {
        canonical(name) + _SUFFIX: f"{name} is being {doing} by "
        for name in names
    }
    remote = [path for path in locks if file_io.is_remote(path)]
    with contextlib.ExitStack() as stack:
        for path in locks.keys() - remote:
            stack.enter_context(_hold_local(path, locks[path]))
        for path in remote:
            _take_remote(path, locks[path])
            stack.callback(file_io.remove, path)
        if remote:
            stack.enter_context(_signing(remote))
        yield


def canonical(name: str) -> str:
    """Returns the one spelling of an output that all others come to."""
    numbered = re.fullmatch(r"(.*[^/])(?:-\d{5}-of-|@)(\d+)", name)
    if numbered:
        name = f"{numbered[1]}@{int(numbered[2])}"
    return canonical_file(name)


def canonical_file(path: str) -> str:
    """Returns the one spelling of a file that all others come to.

    A rename replaces a link to a file, so that of it the name counts.
    """
    if file_io.is_remote(path):
        return path
    folder, name = os.path.split(path)
    return os.path.join(os.path.realpath(folder), name)


@contextlib.contextmanager
def _hold_local(path, busy):
    with _open_lock(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BlockingIOError(
                busy + (file.read() or "another process")
            ) from None
        # The one who held it before may have removed the name meanwhile.
        if not _has_name(file, path):
            raise BlockingIOError(busy + "another process")
        file.truncate(0)
        file.write(f"process {os.getpid()} of {socket.gethostname()}")
        file.flush()
        try:
            yield
        finally:
            os.remove(path)


def _open_lock(path):
    """Opens the file of a lock; a link that was put there is not followed."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags, 0o666)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise ValueError(f"{path} is a link and no lock; remove it") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ValueError(f"{path} is no file and no lock; remove it")
    return os.fdopen(descriptor, "r+", encoding="utf-8", errors="replace")


def _has_name(file, path):
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


def _take_remote(path: str, busy: str) -> None:
    if file_io.exists(path):
        holder = _holder(path)
        who = f"process {holder['process']} of {holder['host']}"
        if holder["host"] == socket.gethostname():
            if _is_alive(holder["process"]):
                raise BlockingIOError(busy + who)
        elif time.time() - holder["time"] < _SECS_OF_SILENCE:
            raise HeldElsewhereError(
                f"{busy}{who}; if that is dead, wait five minutes or remove "
                f"{path}"
            )
    _sign(path)


def _holder(path):
    try:
        return json_files.read(path, _HOLDER)
    except ValueError:
        # Its process was stopped before it had signed.
        return _NOBODY


@contextlib.contextmanager
def _signing(paths):
    """Keeps remote locks young while the body runs, whatever it is at."""
    is_over = threading.Event()

    def sign():
        while not is_over.wait(_SECS_BETWEEN_SIGNS):
            for path in paths:
                # A lost connection may come back before five minutes are over.
                with contextlib.suppress(Exception):
                    _sign(path)

    thread = threading.Thread(target=sign, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _sign(path):
    holder = {
        "host": socket.gethostname(),
        "process": os.getpid(),
        "time": time.time(),
    }
    with file_io.open_binary(path, "wb") as file:
        file.write(json_files.line(holder).encode())


def _is_alive(process):
    if process is None or not 0 < process < 1 << 31:
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return process != os.getpid()
