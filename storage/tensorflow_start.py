"""Keeps back what TensorFlow says as it starts, and loses nothing of worth.

TensorFlow, absl and CUDA's libraries write to file descriptor 2, beneath
Python: that a message came before its log was ready, which instructions a
processor has, that there is no card. While they start, the descriptor is a
pipe, and a process of its own holds what comes:

    Python ---- sys.stderr ----------------------------> standard error
    C++ --- descriptor 2 --- pipe --- holder --- what is not harmless --^

After an exception, or a crash that no code of ours outlives, the holder writes
all of it.
"""

import contextlib
import os
import re
import select
import signal
import sys
import threading
from collections.abc import Iterator

from absl import logging

_STDERR = 2
_BLOCK_BYTES = 1 << 16
_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
# Below errors there is a word of every kernel that a training prepares.
_ERRORS = "2"
_WENT_WELL = b"1"
# Where an NVIDIA driver is, as on Linux and in WSL2.
_DRIVER = ("/dev/nvidiactl", "/dev/dxg", "/proc/driver/nvidia/version")
_HARMLESS = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog"
    # Of absl's log: infos, and what two libraries in one process both bring.
    rb"|I\d{4} |[EW]\d{4} .*Unable to register cu\w+ factory"
    rb"|W\d{4} .*computation placer already registered"
)
_NO_CARD = re.compile(rb"E\d{4} .*failed call to cuInit")


@contextlib.contextmanager
def quiet(finds_devices: bool = True) -> Iterator[None]:
    """Keeps C++'s words back while TensorFlow is imported.

    What is not known to be harmless is shown when it is done. At --verbosity=1
    all is shown as it comes, and TensorFlow is asked to say more.

    Args:
        finds_devices: whether TensorFlow looks for GPUs here as well, which it
            does aloud; not where it is to connect to a TPU first.
    """
    is_shown = logging.level_debug()
    os.environ.setdefault(_LEVEL, "0" if is_shown else _ERRORS)
    # What is imported already has spoken; with threads there is no forking.
    has_threads = threading.active_count() > 1
    if is_shown or "tensorflow" in sys.modules or has_threads:
        yield
        return
    with _held():
        yield
        tf = sys.modules.get("tensorflow")
        if tf and finds_devices:
            tf.config.list_physical_devices()


@contextlib.contextmanager
def _held():
    real = os.dup(_STDERR)
    holder, verdict = _start_holder(real)
    old, sys.stderr = sys.stderr, os.fdopen(os.dup(real), "w", buffering=1)
    try:
        yield
        os.write(verdict, _WENT_WELL)
    finally:
        sys.stderr.close()
        sys.stderr = old
        os.dup2(real, _STDERR)
        os.close(real)
        os.close(verdict)
        os.waitpid(holder, 0)


def _start_holder(real):
    """Makes descriptor 2 a pipe; returns the holder's process and its ear."""
    text, text_in = os.pipe()
    verdict, verdict_in = os.pipe()
    sys.stderr.flush()
    sys.stdout.flush()
    holder = os.fork()
    if not holder:
        try:
            os.close(text_in)
            os.close(verdict_in)
            _hold(text, verdict, real)
        finally:
            os._exit(0)
    os.dup2(text_in, _STDERR)
    for descriptor in (text, text_in, verdict):
        os.close(descriptor)
    return holder, verdict_in


def _hold(text, verdict, real):
    """Collects text until there is a verdict, or nobody to give one."""
    # A signal is for who imports: this process ends when that one has.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    held = b""
    while True:
        ready, _, _ = select.select([text, verdict], [], [])
        if text in ready:
            block = os.read(text, _BLOCK_BYTES)
            held += block
            if block:
                continue
        if verdict in ready or text in ready:
            break
    if os.read(verdict, 1) == _WENT_WELL:
        held = of_worth(held)
    while held:
        held = held[os.write(real, held) :]


def of_worth(text: bytes) -> bytes:
    """Returns the lines that are not known to be harmless."""
    has_driver = any(map(os.path.exists, _DRIVER))
    return b"".join(
        line
        for line in text.splitlines(keepends=True)
        if not _HARMLESS.match(line)
        and (has_driver or not _NO_CARD.match(line))
    )
