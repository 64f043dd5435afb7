"""Many clients of one server, which time every answer.

A client is a connection that is kept: it sends a request, reads the answer and
sends the next. Requests are bytes made before, so that the clients cost the
server's machine little.
"""

import asyncio
import collections
import itertools
import time
import urllib.parse
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

_END = b"\r\n\r\n"


class Answer(NamedTuple):
    """What came of a request."""

    # Of HTTP; 0 where the connection ended before the answer did.
    status: int
    secs: float
    # Number of the request among those given.
    number: int
    body: bytes


class Load:
    """What came of all requests."""

    def __init__(self, answers: Sequence[Answer], secs: float):
        self.answers = answers
        self.secs = secs
        self.statuses = collections.Counter(x.status for x in answers)

    @property
    def per_sec(self) -> float:
        """Requests a second that were answered with 200."""
        return self.statuses[200] / self.secs

    def ms(self, percent: float) -> float:
        """Returns the milliseconds in which so many percent were answered."""
        secs = [x.secs for x in self.answers if x.status == 200]
        return 1000 * float(np.percentile(secs, percent)) if secs else np.nan


def request(url: str, body: bytes) -> bytes:
    """Returns a POST of JSON."""
    parts = urllib.parse.urlsplit(url)
    head = (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def run(
    url: str,
    bodies: Sequence[bytes],
    *,
    num_clients: int,
    secs: float = float("inf"),
    num_requests: int | None = None,
    per_sec: float | None = None,
    every: Callable[[Answer], None] = lambda _: None,
) -> Load:
    """Sends requests from this process until the time or their number is over.

    Args:
        url: of the server, with the address.
        bodies: of the requests, one after another and from the start again.
        num_clients: requests at once; with `per_sec` connections at most.
        secs: for how long new ones are sent.
        num_requests: how many; without it as many as the time allows.
        per_sec: so many are sent a second whether others are answered or not;
            without it each client waits for its answer.
        every: is told of each answer; the body is not kept after that.
    """
    requests = [request(url, body) for body in bodies]
    host = urllib.parse.urlsplit(url)
    return asyncio.run(
        _Clients(host.hostname, host.port, requests, every).run(
            num_clients, secs, num_requests, per_sec
        )
    )


class _Clients:
    def __init__(self, host, port, requests, every):
        self._address = host, port
        self._requests = requests
        self._every = every
        self._answers = []

    async def run(self, num_clients, secs, num_requests, per_sec):
        numbers = itertools.count()
        if num_requests is not None:
            numbers = iter(range(num_requests))
        begin = time.monotonic()
        end = begin + secs

        async def client():
            connection = None
            for number in numbers:
                due = time.monotonic()
                if per_sec:
                    due = begin + number / per_sec
                    await asyncio.sleep(due - time.monotonic())
                if max(due, time.monotonic()) >= end:
                    break
                connection = await self._ask(connection, number, due)
            if connection:
                connection[1].close()

        await asyncio.gather(*(client() for _ in range(num_clients)))
        return Load(self._answers, time.monotonic() - begin)

    async def _ask(self, connection, number, due):
        """Returns the connection to go on with, None for a new one."""
        place = number % len(self._requests)
        status, body, is_kept = 0, b"", False
        try:
            connection = connection or await asyncio.open_connection(
                *self._address
            )
            connection[1].write(self._requests[place])
            status, body, is_kept = await _read(connection[0])
        except (OSError, asyncio.IncompleteReadError):
            pass
        answer = Answer(status, time.monotonic() - due, place, body)
        self._every(answer)
        self._answers.append(answer._replace(body=b""))
        if is_kept:
            return connection
        if connection:
            connection[1].close()
        return None


async def _read(reader):
    """Returns (status, body, whether the connection is kept)."""
    head = (await reader.readuntil(_END)).lower().split(b"\r\n")
    fields = dict(line.split(b": ", 1) for line in head[1:] if b": " in line)
    body = await reader.readexactly(int(fields.get(b"content-length", 0)))
    is_kept = fields.get(b"connection") != b"close"
    return int(head[0].split()[1]), body, is_kept
