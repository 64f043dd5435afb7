"""One training at a time in one --output_dir."""

import contextlib
import os

from storage import lock

_NAME = "training"


def hold(directory, is_chief):
    """Keeps other trainings out of a directory; a context manager.

    Args:
        directory: an --output_dir, local or remote.
        is_chief: whether this process writes there; the other workers of a
            training do not.

    Raises:
        BlockingIOError: another training is at work there.
    """
    if not is_chief:
        return contextlib.nullcontext()
    return lock.hold([os.path.join(directory, _NAME)], doing="done")
