"""A server as a process of its own, and what it costs."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from benchmarks import http_load, whole_process

_PATIENCE_SECS = 300.0
_THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")


class Server:
    """A server as a process of its own.

    Args:
        name: in tables.
        command: without its port.
        path: where it answers.
        body: makes the request of a text.
        numbers: of an answer.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        path: str,
        body: Callable[[str], Any],
        numbers: Callable[[Any], Any],
    ):
        self.name = name
        self._command = command
        self._path = path
        self._body = body
        self._numbers = numbers

    @contextlib.contextmanager
    def started(self, num_threads: int) -> Iterator[None]:
        """The process, which answers and has what it says in a file."""
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        threads = dict.fromkeys(_THREADS, str(num_threads))
        environment = os.environ | threads | {"CUDA_VISIBLE_DEVICES": "-1"}
        with (
            tempfile.TemporaryFile("w+") as said,
            subprocess.Popen(
                [*self._command, f"--port={port}"],
                env=environment,
                stderr=said,
            ) as process,
        ):
            self._process = process
            self._address = f"http://127.0.0.1:{port}"
            try:
                self._wait(said)
                yield
            finally:
                process.terminate()

    def _wait(self, said):
        end = time.monotonic() + _PATIENCE_SECS
        while time.monotonic() < end and self._process.poll() is None:
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(f"{self._address}/readyz"),
            ):
                return
            time.sleep(0.1)
        said.seek(0)
        sys.exit(f"{self.name} does not start:\n{said.read()[-2000:]}")

    @property
    def memory_mb(self) -> float:
        return whole_process.bytes_of(self._process.pid) / 1e6

    @property
    def cpu_secs(self) -> float:
        """What its threads spent on a processor so far."""
        return whole_process.cpu_secs_of(self._process.pid)

    def load(self, texts: Sequence[str], **how: Any) -> http_load.Load:
        """Asks for the texts; see `http_load.run`."""
        bodies = [json.dumps(self._body(x)).encode() for x in texts]
        return http_load.run(self._address + self._path, bodies, **how)

    def answers(self, texts: Sequence[str]) -> np.ndarray:
        """Returns the numbers of the answers, [texts, numbers]."""
        found: list[bytes] = []
        self.load(
            texts,
            num_clients=1,
            num_requests=len(texts),
            every=lambda answer: found.append(answer.body),
        )
        return np.array([self._numbers(json.loads(body)) for body in found])
