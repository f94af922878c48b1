"""One request, and how its answer is worded in HTTP/1.1."""

import re
import time
from functools import lru_cache
from http import HTTPStatus
from typing import Protocol

from predictor.errors import (
    PROBLEM_MEDIA_TYPE,
    MethodNotAllowedError,
    PredictionError,
    PredictorError,
    UnavailableError,
    problem,
)

Headers = tuple[tuple[str, str], ...]
FINAL, UNKNOWN = 200, 600
"""Statuses from the one up to below the other end a request: 1xx announce another answer (RFC 9110 section 15)."""
BODILESS = {204, 304}
"""Statuses whose answers have no body, whatever their headers say (RFC 9112 section 6.3)."""
KNOWN = {int(status) for status in HTTPStatus}
TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


class Carrier(Protocol):
    """What an exchange knows of its connection."""

    closed: bool

    def answered(self, exchange: "Exchange") -> None:
        """Write the answers that are next in order; that of `exchange` has become ready."""


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
    def size(self) -> int:
        """Bytes of its answer."""
        return len(self.reply[0]) + len(self.reply[1]) if self.reply else 0

    @property
    def gone(self) -> bool:
        """Whether the client has hung up."""
        return self._connection.closed

    def header(self, name: bytes) -> str | None:
        """A header's value by its lower-case name."""
        value = self._headers.get(name)
        return None if value is None else value.decode("latin-1").strip(" \t")

    def answer(self, status: int, content_type: str, body: bytes, headers: Headers = ()) -> None:
        """Send the answer; a second one is dropped."""
        if self.reply is not None:
            return
        if not FINAL <= status < UNKNOWN:
            self.refuse(PredictionError(f"The model's own code answers by status {status}, which ends no request."))
            return
        if status in BODILESS:
            head, body = _head(status, "") + _lines(headers), b""
        else:
            head = b"%s%scontent-length: %d\r\n" % (_head(status, content_type), _lines(headers), len(body))
        self.reply = head, b"" if self.method == "HEAD" else body
        # while earlier requests of its connection are not answered, the answer waits here, and the question need not
        self.body, self._headers = b"", {}
        self._connection.answered(self)

    def refuse(self, error: PredictorError, headers: Headers = (), request_id: str = "") -> None:
        """Send an error as problem+json."""
        if isinstance(error, UnavailableError):
            headers = (*headers, ("retry-after", str(error.retry_after)))
        elif isinstance(error, MethodNotAllowedError):
            headers = (*headers, ("allow", error.allow))
        self.answer(error.status, PROBLEM_MEDIA_TYPE, problem(error, request_id), headers)


@lru_cache(maxsize=256)
def _head(status: int, content_type: str) -> bytes:
    line = f"HTTP/1.1 {status} {_phrase(status)}\r\n".encode()
    return line + _lines((("content-type", content_type),) if content_type else ())


def _phrase(status: int) -> str:
    """The reason phrase, which may be empty (RFC 9112 section 4)."""
    return HTTPStatus(status).phrase if status in KNOWN else ""


def _lines(headers: Headers) -> bytes:
    """Header lines; a name that is none is left out."""
    if not headers:
        return b""
    lines = [f"{name}: {_value(value)}\r\n" for name, value in headers if _is_name(name)]
    return "".join(lines).encode("latin-1", "replace")


@lru_cache(maxsize=256)
def _is_name(name: str) -> bool:
    return TOKEN.fullmatch(name) is not None


def _value(value: str) -> str:
    """A header's value: a control character could begin another header, or be refused, so it becomes a blank."""
    return value if value.isprintable() else CONTROLS.sub(" ", value)
