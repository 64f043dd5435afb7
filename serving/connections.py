"""Connections that do not wait for ever for what a client does not send."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


class Connection(H11Protocol):
    """A connection of uvicorn's that is closed where no whole head comes.

    Uvicorn closes one that sends nothing after an answer, but neither one that
    never sends anything, nor one whose head comes a byte at a time: as many of
    them as --max_connections would keep everybody out. The body that follows a
    head has a bound of its own, in the guard.
    """

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def _watch(self):
        if self.cycle is not None and not self.cycle.response_complete:
            self._forget()
        elif self._waiting is None:
            self._waiting = self.loop.call_later(
                self.timeout_keep_alive, self._close
            )

    def _forget(self):
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _close(self):
        is_answering = self.cycle is not None and (
            not self.cycle.response_complete
        )
        if not is_answering and not self.transport.is_closing():
            self.transport.close()
