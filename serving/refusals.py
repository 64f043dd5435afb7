"""What a request gets that is not answered: a status and one line.

In the form of OpenAI, which its clients show: {"error": {"message", "type",
"param", "code"}}.
"""

import json
from collections.abc import Mapping
from typing import Any

_TYPES = {
    401: "authentication_error",
    404: "not_found_error",
    429: "rate_limit_error",
}


class RefusedError(Exception):
    """A request is not answered.

    Args:
        status: of HTTP.
        message: one line; it holds nothing of the request's texts.
        code: a word for programs.
        param: the part of the request that is wrong.
        headers: beside the usual ones, such as Retry-After.
    """

    def __init__(
        self,
        status: int,
        message: str,
        code: str | None = None,
        *,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ):
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        kind = "server_error" if status >= 500 else "invalid_request_error"
        self._error = {
            "message": message,
            "type": _TYPES.get(status, kind),
            "param": param,
            "code": code,
        }

    @property
    def body(self) -> bytes:
        return encode({"error": self._error})


def encode(value: Any) -> bytes:
    """Returns a value as JSON in UTF-8; half a surrogate pair as its escape."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")


def stopping() -> RefusedError:
    """Of a server that ends."""
    return RefusedError(
        503,
        "the server is ending",
        "ending",
        headers={"Retry-After": "1", "Connection": "close"},
    )
