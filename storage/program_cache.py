"""Keeps the programs that XLA compiles, so that the next run need not.

To compile a training's step takes XLA half a minute or more on a CPU, in every
process. TensorFlow can keep what it compiled, by a hash of the graph, and
compares the whole program when it takes it from there. It does not look at
the processor, and takes a damaged file for an error: the folder is of one
version and one processor here, and what is not whole is removed first.
"""

import contextlib
import hashlib
import importlib.util
import os
import pathlib
import shutil
import sys
import time
from collections.abc import Mapping

from storage import private_folders

VARIABLE = "TF_XLA_FLAGS"
_DIRECTORY = "--tf_xla_persistent_cache_directory="
# A GPU's programs are for its own machine, and were not tried.
_DEVICES = "--tf_xla_persistent_cache_device_types=CPU"
_FEWEST_FREE_BYTES = 2 << 30
_KEPT_SECS = 30 * 24 * 3600
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def flags(environment: Mapping[str, str]) -> str:
    """Returns TF_XLA_FLAGS with a folder to keep programs in.

    They are as they were where they name one, or where there is no folder.

    Args:
        environment: of the process that imports TensorFlow.
    """
    given = environment.get(VARIABLE, "")
    if "tf_xla_persistent_cache" in given or sys.platform != "linux":
        return given
    directory = private_folders.find(f"xla-{_key(environment)}")
    if directory is None or "," in directory or " " in directory:
        return given
    if shutil.disk_usage(directory).free < _FEWEST_FREE_BYTES:
        return given
    _tidy(pathlib.Path(directory))
    return f"{given} {_DIRECTORY}{directory} {_DEVICES}".strip()


def _key(environment):
    """A hash of all that decides on the code, beside the program itself."""
    library = importlib.util.find_spec("tensorflow")
    cpu = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
    lines = {x for x in cpu.split("\n") if x.startswith(("flags", "model"))}
    decides = [
        library.origin,
        os.path.getmtime(library.origin),
        os.cpu_count(),
        len(os.sched_getaffinity(0)),
        *sorted(lines),
        *(
            environment.get(name)
            for name in (VARIABLE, "XLA_FLAGS", "ONEDNN_MAX_CPU_ISA")
        ),
    ]
    return hashlib.sha256(repr(decides).encode()).hexdigest()[:16]


def _tidy(directory):
    """Removes what is damaged here, and what nobody used, of others as well."""
    for path in directory.parent.glob("xla-*/*"):
        with contextlib.suppress(OSError):
            is_read = path.parent == directory and path.suffix == ".pb"
            if _is_old(path) or (is_read and not is_whole(path)):
                path.unlink()


def _is_old(path):
    return time.time() - max(path.stat().st_atime, path.stat().st_mtime) > (
        _KEPT_SECS
    )


def is_whole(path: pathlib.Path) -> bool:
    """Whether a file is a protocol buffer whose fields end where it does."""
    num_bytes = path.stat().st_size
    place = 0
    # Not a use of it, for `_is_old`.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOATIME)
    with os.fdopen(descriptor, "rb") as file:
        while place < num_bytes:
            file.seek(place)
            head = file.read(20)
            tag, used = _varint(head, 0)
            if not tag >> 3:
                return False
            value, used_by_value = _varint(head, used)
            place += used
            place += {
                _VARINT: used_by_value,
                _FIXED64: 8,
                _BYTES: used_by_value + value,
                _FIXED32: 4,
            }.get(tag & 7, num_bytes + 1)
    return 0 < num_bytes == place


def _varint(data, start):
    """Returns a number of protocol buffers, and how many bytes it takes."""
    value = 0
    for index, byte in enumerate(data[start : start + 10]):
        value |= (byte & 127) << 7 * index
        if byte < 128:
            return value, index + 1
    return value, 10
