"""Compiles functions by Numba, with a cache that is never out of date.

Numba compares a cached function with its own file only: one that calls into a
changed file would go on calling the old code. Here the cache has a folder for
each state of all the files that hold compiled code.
"""

import contextlib
import functools
import hashlib
import os
import pathlib
import stat
import tempfile

import numba
from absl import logging

_ROOT = pathlib.Path(__file__).resolve().parents[1]
_PACKAGES = ("text", "corpus", "data")
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def sources() -> list[pathlib.Path]:
    """Returns the files whose state decides on the cache's folder."""
    files = (path for x in _PACKAGES for path in (_ROOT / x).rglob("*.py"))
    return sorted(files)


def _cache_directory():
    """Returns a folder of ours that can be written, or None.

    Numba unpickles what lies there, so whoever can write to it can run code
    as us: a folder of another owner, or open to others, is not taken.
    """
    digest = hashlib.sha256()
    for path in sources():
        digest.update(path.read_bytes())
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    candidates = [
        chosen,
        os.path.join(home, "hanlin"),
        os.path.join(tempfile.gettempdir(), f"hanlin-cache-{os.getuid()}"),
    ]
    for candidate in filter(None, candidates):
        directory = os.path.join(candidate, digest.hexdigest()[:16])
        # Where the user wants it, what is above is the user's own choice.
        is_safe = candidate == chosen or _is_ours(candidate, may_close=True)
        if is_safe and _is_ours(directory):
            return directory
    logging.warning(
        "compiled code cannot be kept, as none of %s can be written by this "
        "user and by no other: every start compiles for some seconds; name a "
        "folder in NUMBA_CACHE_DIR",
        ", ".join(filter(None, candidates)),
    )
    return None


def _is_ours(path, may_close=False):
    """Makes a folder where it is missing; whether nobody else can write it.

    Args:
        path: the folder.
        may_close: whether one of ours that others can write is closed to them.
    """
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, mode=0o700)
        # The owner of a link may let it lead elsewhere, so he must be us.
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode) and status.st_uid == os.getuid():
            status = os.stat(path)
        if may_close and status.st_uid == os.getuid():
            os.chmod(path, status.st_mode & ~_OTHERS_WRITE & 0o7777)
            status = os.stat(path)
    except OSError:
        return False
    return (
        stat.S_ISDIR(status.st_mode)
        and status.st_uid == os.getuid()
        and not status.st_mode & _OTHERS_WRITE
        and os.access(path, os.W_OK)
    )


_directory = _cache_directory()
if _directory:
    # Numba makes its settings as it is imported, so that mypy sees none.
    numba.config.CACHE_DIR = _directory  # type: ignore[attr-defined]

njit = functools.partial(numba.njit, cache=_directory is not None)
