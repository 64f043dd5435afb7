"""Rows of many requests, computed together by one thread.

    request 1: rows of 9, 12 and 40 tokens  \\       [9, 12, 14] in one batch
    request 2: a row of 14 tokens           /       [40] in the next

A row waits for others of like length only while the thread is busy, or while a
request that was accepted is still being read, and never longer than a bound.
The oldest row goes first, so that none is passed over.

Shapes: N rows, B batch, T tokens.
"""

import bisect
import collections
import contextlib
import dataclasses
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, InvalidStateError
from typing import Any, Protocol

import numpy as np

from finetuning import batches
from finetuning.task import FEATURES, Outputs, Rows


class QueueFullError(Exception):
    """More rows wait than may."""


class DeadlineError(Exception):
    """The rows were not computed in time."""


class StoppedError(Exception):
    """The batcher takes no more."""


class Computing(Protocol):
    """What computes a batch."""

    @property
    def per_token(self) -> bool:
        """Whether its outputs are [B, T, ...]."""

    def __call__(self, batch: Rows) -> Outputs:
        """Returns {name: [B, ...]}."""


@dataclasses.dataclass(eq=False)
class _Job:
    """The rows of one request."""

    rows: Rows
    deadline: float
    future: Future
    num_left: int
    outputs: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)


class Batcher:
    """Computes the rows of requests, those of like length together.

    Args:
        batch_size: most rows at once.
        max_wait_secs: how long a row waits for others that are on their way.
        max_queue: most rows that wait.
        observe: is told of each batch: (rows, tokens with padding, seconds).
    """

    def __init__(
        self,
        *,
        batch_size: int,
        max_wait_secs: float,
        max_queue: int,
        observe: Callable[[int, int, float], None] = lambda *_: None,
    ):
        self._batch_size = batch_size
        self._max_wait = max_wait_secs
        self._max_queue = max_queue
        self._observe = observe
        # {(what computes, tokens, the rest of the shapes): rows that wait}
        self._queues: dict[Any, collections.deque] = {}
        self._num_waiting = 0
        self._num_coming = 0
        self._is_stopped = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(
            target=self._work, name="batcher", daemon=True
        )
        self._thread.start()

    @property
    def num_waiting(self) -> int:
        """Rows that are not being computed yet."""
        return self._num_waiting

    def expect(self, number: int) -> None:
        """Says that so many requests more, or fewer, are being read."""
        with self._changed:
            self._num_coming += number
            self._changed.notify()

    def submit(
        self, compute: Computing, rows: Rows, deadline: float = float("inf")
    ) -> Future:
        """Returns the outputs to come, {name: [N, ...]} in the rows' order.

        Args:
            compute: of the model.
            rows: N of them, at full length.
            deadline: of time.monotonic(); later the future has a
                `DeadlineError`.

        Raises:
            QueueFullError: too many rows wait; none of these is taken.
            StoppedError: the batcher has stopped.
        """
        lengths = batches.lengths_of_rows(rows)
        whole = rows["input_ids"].shape[-1]
        edges = batches.lengths_up_to(whole)
        job = _Job(rows, deadline, Future(), len(lengths))
        if not len(lengths):
            job.future.set_result({})
            return job.future
        shapes = tuple(
            (name, rows[name].shape[1:])
            for name in sorted(rows)
            if name not in FEATURES
        )
        now = time.monotonic()
        with self._changed:
            if self._is_stopped:
                raise StoppedError("the server is ending")
            if self._num_waiting + len(lengths) > self._max_queue:
                raise QueueFullError(
                    f"{self._num_waiting} rows wait, and {self._max_queue} may"
                )
            for row, length in enumerate(lengths.tolist()):
                edge = edges[bisect.bisect_left(edges, length)]
                key = (compute, edge, whole, rows["input_ids"].ndim, shapes)
                queue = self._queues.setdefault(key, collections.deque())
                queue.append((now, job, row))
            self._num_waiting += len(lengths)
            self._changed.notify()
        return job.future

    def stop(self) -> None:
        """Ends the thread once all that was taken is computed."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify()
        self._thread.join()

    def _work(self):
        while (found := self._next()) is not None:
            key, taken = found
            if taken:
                self._run(key, taken)

    def _next(self):
        """Waits for a batch; returns (key, rows), None at the end."""
        with self._changed:
            while True:
                key = min(
                    self._queues,
                    key=lambda k: self._queues[k][0][0],
                    default=None,
                )
                if key is None:
                    if self._is_stopped:
                        return None
                    self._changed.wait()
                    continue
                queue = self._queues[key]
                left = queue[0][0] + self._max_wait - time.monotonic()
                is_ready = (
                    len(queue) >= self._batch_size
                    or not self._num_coming
                    or self._is_stopped
                    or left <= 0
                )
                if is_ready:
                    return key, self._take(key)
                self._changed.wait(left)

    def _take(self, key):
        """Takes rows of a queue; those that came too late are answered."""
        queue, taken = self._queues[key], []
        now = time.monotonic()
        while queue and len(taken) < self._batch_size:
            _, job, row = queue.popleft()
            self._num_waiting -= 1
            if job.future.done():
                continue
            if now > job.deadline:
                _fail(job, DeadlineError("the deadline is over"))
                continue
            taken.append((job, row))
        if not queue:
            del self._queues[key]
        return taken

    def _run(self, key, taken):
        compute, length, whole, *_ = key
        begin = time.monotonic()
        try:
            batch = _gather(taken, length, whole, compute.per_token)
            outputs = compute(batch)
        except Exception as error:
            for job, _ in taken:
                _fail(job, error)
            return
        _scatter(taken, outputs, whole, per_token=compute.per_token)
        num_tokens = batch["input_ids"].size
        self._observe(len(taken), num_tokens, time.monotonic() - begin)


def _gather(taken, length, whole, per_token) -> Rows:
    """Returns the batch of some rows, cut to a length."""
    batch = {
        name: np.stack([job.rows[name][row] for job, row in taken])
        for name in taken[0][0].rows
    }
    return batches.trim(batch, length, per_token=per_token)


def _scatter(
    taken: Sequence[tuple[_Job, int]],
    outputs: Mapping[str, np.ndarray],
    whole: int,
    *,
    per_token: bool,
) -> None:
    """Puts the outputs of a batch where their requests look for them."""
    for place, (job, row) in enumerate(taken):
        for name, value in outputs.items():
            if name not in job.outputs:
                shape = list(value.shape[1:])
                if per_token:
                    shape[0] = whole
                num_rows = len(job.rows["input_ids"])
                job.outputs[name] = np.zeros((num_rows, *shape), value.dtype)
            if per_token:
                job.outputs[name][row, : value.shape[1]] = value[place]
            else:
                job.outputs[name][row] = value[place]
        job.num_left -= 1
        if not job.num_left:
            # Whoever asked may have gone meanwhile.
            with contextlib.suppress(InvalidStateError):
                job.future.set_result(job.outputs)


def _fail(job, error):
    with contextlib.suppress(InvalidStateError):
        job.future.set_exception(error)
