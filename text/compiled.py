"""Compiles functions by Numba, with a cache that is never out of date.

Numba compares a cached function with its own file only: one that calls into a
changed file would go on calling the old code. Here the cache has a folder for
each state of all the files that hold compiled code.
"""

import contextlib
import functools
import hashlib
import io
import os
import pathlib
import tempfile
import time
from collections.abc import Callable

import numba
from absl import logging

from storage import private_folders

_ROOT = pathlib.Path(__file__).resolve().parents[1]
_PACKAGES = ("text", "corpus", "data")


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
    name = digest.hexdigest()[:16]
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    # Where the user wants it, what is above is the user's own choice.
    if chosen and private_folders.is_ours(os.path.join(chosen, name)):
        return os.path.join(chosen, name)
    directory = private_folders.find(name)
    if directory:
        return directory
    logging.warning(
        "compiled code cannot be kept, as none of %s can be written by this "
        "user and by no other: every start compiles for some seconds; name a "
        "folder in NUMBA_CACHE_DIR",
        ", ".join(filter(None, [chosen, *private_folders.candidates()])),
    )
    return None


_directory = _cache_directory()
if _directory:
    # Numba makes its settings as it is imported, so that mypy sees none.
    numba.config.CACHE_DIR = _directory  # type: ignore[attr-defined]

njit = functools.partial(numba.njit, cache=_directory is not None)


def warm_up(name: str, work: Callable[[str], object]) -> None:
    """Compiles what a piece of work needs, before time is taken of more.

    It is done once for each state of the code, and said aloud.

    Args:
        name: of the kind of work.
        work: does a little of it, and may write to the folder that it is given.
    """
    if not _directory:
        return
    done = pathlib.Path(_directory, f"{name}.compiled")
    if done.exists():
        return
    logging.info(
        "Numba compiles what is slow in Python, once for this version: "
        "half a minute or more, which later starts need not wait for"
    )
    started = time.monotonic()
    verbosity = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            contextlib.redirect_stdout(io.StringIO()),
        ):
            work(folder)
    except (ValueError, OSError) as error:
        logging.debug("%s", error)  # The work itself will say what is wrong.
    finally:
        logging.set_verbosity(verbosity)
    done.touch()
    logging.info("compiled in %.0f s", time.monotonic() - started)
