"""Takes out of standard error what TensorFlow says and nobody can act on.

TensorFlow, absl and CUDA's libraries write to file descriptor 2, beneath
Python: that a message came before its log was ready, which instructions a
processor has, that there is no card. A process of its own reads that:

    Python ---- sys.stderr -------------------------------> standard error
    C++ --- descriptor 2 --- pipe --- filter --- the rest --------^

While TensorFlow is imported the filter holds all; where that ends in an
exception, or in a crash that no code of ours outlives, it writes all. After
that it passes on each line as it comes, but those known to be harmless.
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

from storage import program_cache

_STDERR = 2
_BLOCK_BYTES = 1 << 16
# Half a line, as of a progress bar, is passed on after that time.
_PATIENCE_SECS = 0.2
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
    # Of programs that were kept: preferences are no instructions, and a file
    # is first read as text.
    rb"|E\d{4} .*cpu_aot_loader.cc.* feature \+prefer-no-(gather|scatter) is"
    rb"|E\d{4} .*Error parsing text-format tensorflow.XlaSerializedCacheEntry"
)
_NO_CARD = re.compile(rb"E\d{4} .*failed call to cuInit")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Filters what C++ says, from here on; TensorFlow is imported within.

    At --verbosity=1 all is shown as it comes, and TensorFlow says more.
    """
    if "tensorflow" in sys.modules:
        yield
        return
    is_shown = logging.level_debug()
    os.environ.setdefault(_LEVEL, "0" if is_shown else _ERRORS)
    os.environ[program_cache.VARIABLE] = program_cache.flags(os.environ)
    # A process with threads cannot be forked safely.
    if is_shown or threading.active_count() > 1:
        yield
        return
    with _filtered():
        yield


@contextlib.contextmanager
def _filtered():
    real = os.dup(_STDERR)
    ours, verdict = _start(real)
    sys.stderr = os.fdopen(
        real, "w", buffering=1, errors="backslashreplace", closefd=False
    )
    logging.get_absl_handler().python_handler.stream = sys.stderr
    try:
        yield
        os.write(verdict, _WENT_WELL)
    except BaseException:
        os.dup2(real, _STDERR)
        os.close(verdict)
        os.waitpid(ours, 0)
        raise
    os.close(verdict)


def _start(real):
    """Makes descriptor 2 a pipe; returns the filter's process and its ear."""
    text, text_in = os.pipe()
    verdict, verdict_in = os.pipe()
    sys.stderr.flush()
    sys.stdout.flush()
    process = os.fork()
    if not process:
        try:
            os.close(text_in)
            os.close(verdict_in)
            os.dup2(real, _STDERR)
            _filter(text, verdict)
        finally:
            os._exit(0)
    os.dup2(text_in, _STDERR)
    for descriptor in (text, text_in, verdict):
        os.close(descriptor)
    return process, verdict_in


def _filter(text, verdict):
    """Holds text until there is a verdict, or nobody to give one."""
    # A signal is for who imports: this process ends when that one has.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    held, sources = b"", [text, verdict]
    while verdict in sources:
        ready, _, _ = select.select(sources, [], [])
        if text in ready:
            block = os.read(text, _BLOCK_BYTES)
            held += block
            if not block:
                sources.remove(text)
        else:
            sources.remove(verdict)
    if os.read(verdict, 1) != _WENT_WELL:
        _write(held)
        return
    while text in sources:
        whole, _, held = held.rpartition(b"\n")
        _write(of_worth(whole + b"\n" if whole else b""))
        if held and not select.select([text], [], [], _PATIENCE_SECS)[0]:
            _write(of_worth(held))
            held = b""
        block = os.read(text, _BLOCK_BYTES)
        held += block
        if not block:
            sources.remove(text)
    _write(of_worth(held))


def _write(text):
    while text:
        text = text[os.write(_STDERR, text) :]


def of_worth(text: bytes) -> bytes:
    """Returns the lines that are not known to be harmless."""
    has_driver = any(map(os.path.exists, _DRIVER))
    return b"".join(
        line
        for line in text.splitlines(keepends=True)
        if not _HARMLESS.match(line)
        and (has_driver or not _NO_CARD.match(line))
    )
