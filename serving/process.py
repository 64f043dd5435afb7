"""The process of a server: its port, its signals, its end.

SIGTERM or Ctrl-C: new requests get 503 for --drain_secs, those that were taken
are answered, and then the port is closed. A second one ends it at once.
"""

import asyncio
import contextlib
import math
import socket
from typing import Any

import uvicorn
from absl import logging

from serving import application
from serving.config import ServeConfig
from serving.connections import Connection
from serving.service import Service

_TICK_SECS = 0.02


class _Server(uvicorn.Server):
    """Drains before it ends, where uvicorn would close its port at once."""

    def __init__(self, config: uvicorn.Config, service: Service):
        super().__init__(config)
        self._service = service
        self._loop: asyncio.AbstractEventLoop | None = None
        self._draining: Any = None
        self.failure: BaseException | None = None

    def handle_exit(self, sig: int, frame: Any) -> None:
        if self._service.is_draining or self._loop is None:
            super().handle_exit(sig, frame)
            return
        self._service.is_draining = True
        self._loop.call_soon_threadsafe(self._begin_to_drain)

    def _begin_to_drain(self):
        self._draining = asyncio.get_running_loop().create_task(self._drain())

    async def _drain(self):
        service = self._service
        logging.info("ending: %d requests are answered yet", service.num_open)
        await asyncio.sleep(service.config.drain_secs)
        while service.num_open:
            await asyncio.sleep(_TICK_SECS)
        self.should_exit = True

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        starting = self._loop.create_task(self._start())
        await super().serve(sockets)
        if not starting.done():
            starting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await starting

    async def _start(self):
        try:
            await self._service.start()
        except Exception as error:
            if not self.should_exit:  # Else the threads were stopped.
                self.failure = error
            self.should_exit = True


def run(config: ServeConfig) -> None:
    """Serves until a signal.

    Raises:
        ValueError: a model cannot be read, or the port is taken.
    """
    keys = config.keys()
    service = Service(config)
    listening = listen(config)
    host, port = listening.getsockname()[:2]
    logging.info(
        "http://%s:%d (%s)",
        host,
        port,
        f"{len(keys)} keys" if keys else "no key is asked for",
    )
    # Every request has a few rows: how many of them are cut says little.
    logging.get_absl_logger().addFilter(lambda record: record.module != "rows")
    patience_secs = math.ceil(config.deadline_secs)
    server = _Server(
        uvicorn.Config(
            application.make(service, keys),
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="on",
            http=Connection,
            limit_concurrency=config.max_connections,
            timeout_keep_alive=patience_secs,
            # Who does not read an answer does not keep the process.
            timeout_graceful_shutdown=patience_secs,
            backlog=config.max_connections,
        ),
        service,
    )
    with listening:
        server.run([listening])
    if server.failure is not None:
        raise server.failure


def listen(config: ServeConfig) -> socket.socket:
    """Returns the socket at which clients ask.

    Raises:
        ValueError: the address is not this machine's, or the port is taken.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            config.host, config.port, type=socket.SOCK_STREAM
        )[0]
        # asyncio sends at once, by TCP_NODELAY, where it knows the protocol:
        # else the body of an answer waits 40 ms for its head to be confirmed.
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        # Who asks before the server runs waits, and is not refused.
        listening.listen(config.max_connections)
    except OSError as error:
        raise ValueError(
            f"--host={config.host} --port={config.port}: {error.strerror}"
        ) from None
    return listening
