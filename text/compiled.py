"""Compiles functions by Numba, with a cache that is never out of date.

Numba compares a cached function with its own file only: one that calls into a
changed file would go on calling the old code. Here the cache has a folder for
each state of all the files that hold compiled code.
"""

import functools
import hashlib
import os
import pathlib

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
