"""Folders of the user's cache that nobody else can write to.

What lies in them is run: compiled code. So a folder of another owner, or open
to others, is not taken.
"""

import contextlib
import os
import stat
import tempfile

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def candidates() -> list[str]:
    """Returns the folders that may hold ours, the best first."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return [
        os.path.join(home, "hanlin"),
        os.path.join(tempfile.gettempdir(), f"hanlin-cache-{os.getuid()}"),
    ]


def find(name: str) -> str | None:
    """Returns a folder of ours of that name, made where it is missing.

    Returns:
        None where none can be written by this user and by no other.
    """
    for candidate in candidates():
        directory = os.path.join(candidate, name)
        if is_ours(candidate, may_close=True) and is_ours(directory):
            return directory
    return None


def is_ours(path: str, may_close: bool = False) -> bool:
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
