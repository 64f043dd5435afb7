"""What a server counts, in the text that Prometheus reads."""

import bisect
import collections
import threading
from collections import Counter
from collections.abc import Mapping, Sequence

TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_ROWS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)


class Histogram:
    """Counts values below some bounds, as Prometheus has it."""

    def __init__(self, bounds: Sequence[float]):
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def add(self, value: float) -> None:
        self._counts[bisect.bisect_left(self._bounds, value)] += 1
        self._sum += value

    def lines(self, name: str) -> list[str]:
        """Returns the samples: buckets hold all that is below them."""
        found, total = [], 0
        bounds = [*map(str, self._bounds), "+Inf"]
        for bound, count in zip(bounds, self._counts, strict=True):
            total += count
            found.append(f'{name}_bucket{{le="{bound}"}} {total}')
        return [*found, f"{name}_sum {self._sum}", f"{name}_count {total}"]


class Metrics:
    """Counts requests and batches; threads may count at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, int]] = Counter()
        self._totals: dict[str, float] = collections.defaultdict(float)
        self._seconds = Histogram(_SECONDS)
        self._rows = Histogram(_ROWS)

    def request(self, path: str, status: int, seconds: float) -> None:
        """Counts an answer."""
        with self._lock:
            self._requests[path, status] += 1
            self._seconds.add(seconds)

    def batch(self, num_rows: int, num_tokens: int, seconds: float) -> None:
        """Counts a batch; tokens with padding."""
        with self._lock:
            self._rows.add(num_rows)
            self._totals["computed_tokens"] += num_tokens
            self._totals["computing_seconds"] += seconds

    def tokens(self, number: int) -> None:
        """Counts tokens of requests, without padding."""
        with self._lock:
            self._totals["tokens"] += number

    def text(self, gauges: Mapping[str, float]) -> str:
        """Returns all numbers.

        Args:
            gauges: {name: value} of what is so at the moment.
        """
        with self._lock:
            lines = ["# TYPE hanlin_requests_total counter"]
            for (path, status), count in sorted(self._requests.items()):
                labels = f'path="{path}",status="{status}"'
                lines.append(f"hanlin_requests_total{{{labels}}} {count}")
            for name in ("tokens", "computed_tokens", "computing_seconds"):
                lines.append(f"# TYPE hanlin_{name}_total counter")
                lines.append(f"hanlin_{name}_total {self._totals[name]}")
            for name, histogram in (
                ("hanlin_request_seconds", self._seconds),
                ("hanlin_batch_rows", self._rows),
            ):
                lines.append(f"# TYPE {name} histogram")
                lines += histogram.lines(name)
        for name, value in gauges.items():
            lines.append(f"# TYPE hanlin_{name} gauge")
            lines.append(f"hanlin_{name} {value}")
        return "\n".join(lines) + "\n"
