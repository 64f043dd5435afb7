"""Shows how far a stage is: by a bar on a terminal, else by plain lines."""

import sys
import time
from collections.abc import Callable

import tqdm
from absl import logging

_SECS_BETWEEN_LINES = 10
# Is told how much more is done, in bytes of the text.
Advance = Callable[[float], None]


class Progress:
    """Shows how far a stage is, its rate and the time left.

    A context manager; `advance(n)` counts. `total` may be None where it is not
    known before.
    """

    def __init__(self, title: str, total: float | None, unit: str):
        self._title = title
        self._unit = unit
        self._is_terminal = sys.stderr.isatty()
        self._bar = tqdm.tqdm(
            total=total,
            unit=unit,
            unit_scale=True,
            desc=title,
            disable=not self._is_terminal,
            leave=False,
        )
        self._total = total
        self._count = 0.0
        self._start = self._last_line = time.monotonic()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self._bar.close()
        if kind is None:
            self._log("done")

    def advance(self, count: float) -> None:
        """Counts `count` more units."""
        self._count += count
        self._bar.update(count)
        now = time.monotonic()
        if (
            not self._is_terminal
            and now - self._last_line > _SECS_BETWEEN_LINES
        ):
            self._last_line = now
            self._log(self._time_left())

    def _time_left(self):
        if not self._total or not self._count:
            return "time left unknown"
        elapsed = time.monotonic() - self._start
        left = elapsed * (self._total - self._count) / self._count
        share = self._count / self._total
        return f"{share:.0%}, {left:.0f} s left"

    def _log(self, note):
        elapsed = max(time.monotonic() - self._start, 1e-9)
        count = tqdm.tqdm.format_sizeof(self._count)
        rate = tqdm.tqdm.format_sizeof(self._count / elapsed)
        logging.info(
            "%s: %s%s in %.1f s (%s%s/s), %s",
            self._title,
            count,
            self._unit,
            elapsed,
            rate,
            self._unit,
            note,
        )
