"""What stands before the application: bounds, keys, headers, counts.

It reads the body of a request, so that neither a large nor a slow one reaches
the application.
"""

import asyncio
import hashlib
import hmac
import pathlib
import time
from collections.abc import Callable, Sequence
from typing import Any

from absl import logging

from serving.refusals import RefusedError, stopping
from serving.service import Service

# Answered without a key: they say nothing of anybody's texts.
_OPEN = {"/healthz", "/readyz"}
_API = ("/v1/", "/metrics")
# The files of the page for people, of which each stands at /NAME.
PAGE = pathlib.Path(__file__).with_name("page")
_PAGES = {
    "/",
    "/docs",
    "/openapi.json",
    *(f"/{x.name}" for x in PAGE.iterdir()),
}
_LOCAL_NAMES = {"localhost", "127.0.0.1", "[::1]"}
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
}


class Guard:
    """Lets requests through to an ASGI application, or refuses them.

    Args:
        app: the application.
        service: has the settings, and counts.
        keys: of which a request must bear one; none: all may ask.
    """

    def __init__(self, app: Any, service: Service, keys: Sequence[str]):
        self._app = app
        self._service = service
        self._keys = [_digest(key.encode("utf-8")) for key in keys]

    async def __call__(
        self, scope: dict[str, Any], receive: Callable, send: Callable
    ) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begin = time.monotonic()
        answer = _Answer(send)
        try:
            headers = {k.decode("latin-1"): v for k, v in scope["headers"]}
            self._check(scope, headers)
            if scope["method"] == "POST":
                receive = await self._read(headers, receive)
            await self._app(scope, receive, answer.send)
        except RefusedError as refusal:
            await answer.refuse(refusal)
        except Exception as error:
            logging.error("%s of %s", type(error).__name__, scope["path"])
            logging.debug("", exc_info=True)
            if answer.status is not None:
                raise
            await answer.refuse(
                RefusedError(500, "an error of the server", "internal")
            )
        finally:
            known = scope["path"] in _OPEN | _PAGES
            known |= scope["path"].startswith(_API) and bool(answer.is_route)
            self._service.metrics.request(
                scope["path"] if known else "other",
                answer.status or 499,
                time.monotonic() - begin,
            )

    def _check(self, scope, headers):
        """Refuses what needs no look at the body."""
        path, config = scope["path"], self._service.config
        if config.is_local:
            # A page of another site may have its name lead to this machine.
            name = headers.get("host", b"localhost").decode("latin-1")
            if name.rsplit(":", 1)[0] not in _LOCAL_NAMES and (
                name not in _LOCAL_NAMES
            ):
                raise RefusedError(421, "of another host", "wrong_host")
        if path in _OPEN:
            return
        if self._keys and path.startswith(_API):
            self._check_key(headers)
        if self._service.is_draining:
            raise stopping()

    def _check_key(self, headers):
        kind, _, key = headers.get("authorization", b"").partition(b" ")
        found = _digest(key.strip())
        # All are compared, so that the time says nothing.
        is_known = [hmac.compare_digest(found, one) for one in self._keys]
        if kind.lower() != b"bearer" or not any(is_known):
            raise RefusedError(
                401,
                "wanted is the header Authorization: Bearer KEY, with a key of "
                "this server",
                "invalid_api_key",
                headers={"WWW-Authenticate": "Bearer"},
            )

    async def _read(self, headers, receive):
        """Returns a `receive` that has the whole body."""
        config = self._service.config
        kind = headers.get("content-type", b"").split(b";")[0].strip().lower()
        if kind != b"application/json":
            raise RefusedError(
                415, "wanted is Content-Type: application/json", "media_type"
            )
        length = headers.get("content-length", b"0")
        if length.isdigit() and int(length) > config.max_body_bytes:
            raise _too_large(config.max_body_bytes)
        body = bytearray()
        try:
            async with asyncio.timeout(config.deadline_secs):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise RefusedError(400, "the client went", "gone")
                    body += message.get("body", b"")
                    if len(body) > config.max_body_bytes:
                        raise _too_large(config.max_body_bytes)
                    if not message.get("more_body"):
                        break
        except TimeoutError:
            raise RefusedError(
                408,
                f"the body took more than {config.deadline_secs:g} seconds",
                "slow_body",
                headers={"Connection": "close"},
            ) from None
        whole = {"type": "http.request", "body": bytes(body)}
        waiting = [whole]

        async def receive_whole() -> dict[str, Any]:
            return waiting.pop() if waiting else await receive()

        return receive_whole


def _digest(key: bytes) -> bytes:
    # Of one length, whatever the key's.
    return hashlib.sha256(key).digest()


def _too_large(most: int) -> RefusedError:
    return RefusedError(
        413,
        f"the body has more than {most} bytes",
        "body_too_large",
        headers={"Connection": "close"},
    )


class _Answer:
    """Adds headers to an answer, and notices its status."""

    def __init__(self, send: Callable):
        self._send = send
        self.status: int | None = None

    @property
    def is_route(self) -> bool:
        return self.status != 404

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given = {name.lower() for name, _ in message["headers"]}
            message["headers"] = [
                *message["headers"],
                *(
                    (name.lower().encode(), value.encode("latin-1"))
                    for name, value in _HEADERS.items()
                    if name.lower().encode() not in given
                ),
            ]
        await self._send(message)

    async def refuse(self, refusal: RefusedError) -> None:
        """Sends a refusal."""
        body = refusal.body
        headers = {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
        } | refusal.headers
        await self.send(
            {
                "type": "http.response.start",
                "status": refusal.status,
                "headers": [
                    (name.lower().encode(), value.encode("latin-1"))
                    for name, value in headers.items()
                ],
            }
        )
        await self.send({"type": "http.response.body", "body": body})
