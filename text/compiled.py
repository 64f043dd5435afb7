"""`numba.njit` with a cache on disk that is never out of date.

Numba compares a cached function with its own file only: one that calls into a
changed file would go on calling the old code. Here the cache has a folder for
each state of all the files that hold compiled code.
"""

import functools
import hashlib
import os
import pathlib
import tempfile

import numba
from absl import logging

_ROOT = pathlib.Path(__file__).resolve().parents[1]
_PACKAGES = ("text", "data")


def _cache_directory():
    """A folder that can be written, or None."""
    digest = hashlib.sha256()
    for package in _PACKAGES:
        for path in sorted((_ROOT / package).glob("*.py")):
            digest.update(path.read_bytes())
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    candidates = [
        os.environ.get("NUMBA_CACHE_DIR"),
        os.path.join(home, "hanlin"),
        os.path.join(tempfile.gettempdir(), f"hanlin-cache-{os.getuid()}"),
    ]
    for candidate in filter(None, candidates):
        directory = os.path.join(candidate, digest.hexdigest()[:16])
        try:
            os.makedirs(directory, mode=0o700, exist_ok=True)
        except OSError:
            continue
        if os.access(directory, os.W_OK):
            return directory
    logging.warning(
        "compiled code cannot be kept, as none of %s can be written: every "
        "start compiles for some seconds; name a folder in NUMBA_CACHE_DIR",
        ", ".join(filter(None, candidates)),
    )
    return None


_directory = _cache_directory()
if _directory:
    numba.config.CACHE_DIR = _directory

njit = functools.partial(numba.njit, cache=_directory is not None)
