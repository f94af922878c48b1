"""One request, and how its answer is worded in HTTP/1.1."""

import time
from functools import lru_cache
from http import HTTPStatus
from typing import Protocol

from predictor.errors import PROBLEM_MEDIA_TYPE, MethodNotAllowedError, PredictorError, UnavailableError, problem

Headers = tuple[tuple[str, str], ...]


class Carrier(Protocol):
    """What an exchange knows of its connection."""

    closed: bool

    def flush(self) -> None:
        """Write the answers that are next in order."""


class Exchange:
    """One request, and the place where its answer goes."""

    __slots__ = ("_connection", "_headers", "arrived", "body", "method", "path", "reply")

    def __init__(self, connection: Carrier, method: str, path: str, headers: dict[bytes, bytes], body: bytes) -> None:
        self._connection = connection
        self.arrived = time.monotonic()
        self.method = method
        self.path = path
        self._headers = headers
        self.body = body
        self.reply: tuple[bytes, bytes] | None = None
        """Head, but for its last line, and body."""

    @property
    def gone(self) -> bool:
        """Whether the client has hung up."""
        return self._connection.closed

    def header(self, name: bytes) -> str | None:
        """A header's value by its lower-case name."""
        value = self._headers.get(name)
        return None if value is None else value.decode("latin-1")

    def answer(self, status: int, content_type: str, body: bytes, headers: Headers = ()) -> None:
        """Send the answer; a second one is dropped."""
        if self.reply is None:
            head = b"%s%scontent-length: %d\r\n" % (_head(status, content_type), _lines(headers), len(body))
            self.reply = head, b"" if self.method == "HEAD" else body
            self._connection.flush()

    def refuse(self, error: PredictorError, headers: Headers = (), request_id: str = "") -> None:
        """Send an error as problem+json."""
        if isinstance(error, UnavailableError):
            headers = (*headers, ("retry-after", str(error.retry_after)))
        elif isinstance(error, MethodNotAllowedError):
            headers = (*headers, ("allow", error.allow))
        self.answer(error.status, PROBLEM_MEDIA_TYPE, problem(error, request_id), headers)


@lru_cache(maxsize=256)
def _head(status: int, content_type: str) -> bytes:
    line = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()
    return line + _lines((("content-type", content_type),) if content_type else ())


def _lines(headers: Headers) -> bytes:
    """Header lines; a line break within a value would begin another header, so it becomes a blank."""
    lines = [f"{name}: {value}".replace("\r", " ").replace("\n", " ") + "\r\n" for name, value in headers]
    return "".join(lines).encode("latin-1", "replace")
