"""What every reader owes its user, held while it reads one input.

It reads the input, or raises a ValueError that names the file or an OSError;
nothing else, and within seconds.
"""

import contextlib
import faulthandler
import logging
import re
import signal
import traceback
from typing import NamedTuple

from absl import logging as absl_logging
from hypothesis import HealthCheck, settings

_SECS = 20


class HangError(BaseException):
    """A reader did not come to an end; no reader may catch it."""


class Result(NamedTuple):
    """What a reader made of an input."""

    value: object  # None where it was refused.
    error: Exception | None
    warnings: list[str]

    @property
    def num_left_out(self):
        """How many the warnings say are left out."""
        found = [re.search(r"left out (\d+): ", x) for x in self.warnings]
        return sum(int(match[1]) for match in found if match)


def read(call, *names):
    """Calls a reader and holds it to its word.

    Args:
        call: reads the input, whatever is lazy in it, too.
        names: one of them must be in what a ValueError says.

    Returns:
        A `Result`.
    """
    with _warnings() as warnings, _in_time():
        try:
            return Result(call(), None, warnings)
        except (ValueError, OSError) as error:
            found = error
    # Of these Python says the codec, and no file.
    assert not isinstance(found, UnicodeError), repr(found)
    if not (isinstance(found, OSError) and found.filename):
        said = str(found)
        assert any(str(name) in said for name in names), said
    return Result(None, found, warnings)


def each(inputs, check):
    """Checks each of many inputs; tells every fault once, with its input."""
    faults = {}
    count = 0
    for item in inputs:
        count += 1
        try:
            check(item)
        except (Exception, HangError) as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            said = re.sub(r"\d", "", str(error))[:40]
            key = (said, last.filename, last.lineno)
            faults.setdefault(key, f"{key}: {error!r}\n  {item!r}"[:900])
    assert count
    assert not faults, "\n".join(faults.values())


@contextlib.contextmanager
def _in_time():
    def give_up(number, frame):
        raise HangError(f"not done in {_SECS} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, _SECS)
    # Of what no signal gets through to.
    faulthandler.dump_traceback_later(3 * _SECS, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _warnings():
    """Collects what is warned of."""
    said = []

    class _Collector(logging.Handler):
        def emit(self, record):
            if record.levelno >= logging.WARNING:
                said.append(record.getMessage())

    handler = _Collector()
    logger = absl_logging.get_absl_logger()
    logger.addHandler(handler)
    try:
        yield said
    finally:
        logger.removeHandler(handler)


def examples(count):
    """Settings of so many inputs, the same in every run."""
    return settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def put(folder, name, data):
    """Writes the bytes of a file; returns its path."""
    path = folder / name
    path.write_bytes(data)
    return str(path)
