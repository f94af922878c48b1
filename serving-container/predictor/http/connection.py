"""One client's connection: bytes in, exchanges out, their answers back in order. It and `exchange` know HTTP/1.1.

Requests are parsed by httptools (llhttp, the parser of Node.js). The exchanges of a connection are answered in the
order in which they came, whatever the order in which they get done.
"""

import asyncio
import time
from collections import deque
from typing import Protocol

import httptools

from predictor.errors import (
    BadInputError,
    HeadTooLargeError,
    PayloadTooLargeError,
    PredictorError,
    QueueFullError,
)
from predictor.http.exchange import Exchange
from predictor.settings import Settings

MAX_HEAD_BYTES = 64 * 1024
"""Request line, headers and trailers; SageMaker passes on a handful."""
FIELD_BYTES = 32
"""What a header counts besides its name and value, as in HTTP/2 (RFC 9113 section 6.5.2)."""
MAX_PIPELINED = 64
"""Exchanges of one connection that may wait before it is read no further."""
LINGER_SECONDS = 5.0
"""How long the rest of a refused request is read and dropped; to close at once would destroy the answer on its way."""
QUIET_SECONDS = 0.5
"""How long an idle connection is kept while connections part, for the request that may be on its way."""


class Host(Protocol):
    """What a connection knows of its server."""

    settings: Settings
    connections: "set[Connection]"
    draining_since: float
    """When connections were told to end, on the clock of time.monotonic(); before that, minus infinity."""
    date: bytes
    receiving: int
    """Bytes that it holds of bodies that have not arrived as a whole."""

    @property
    def parting(self) -> bool:
        """Whether a connection ends with its last answer."""

    def take(self, exchange: Exchange) -> None:
        """Answer a request, now or later."""

    def forget(self, connection: "Connection") -> None:
        """Take note that a connection has ended."""


class Connection(asyncio.Protocol):
    """One client's connection: parses requests, and writes answers in order."""

    def __init__(self, server: Host) -> None:
        self._server = server
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._exchanges: deque[Exchange] = deque()
        self._body: bytes | bytearray
        self._begin()
        self._silent = 0
        """Bytes in which the parser has found nothing: a part of something that may have no end."""
        self._receiving = False
        self._last = False
        """Whether no further request is taken."""
        self._writable = True
        self._since = time.monotonic()
        """When the request that is being received began, or when the connection fell idle."""
        self.closed = False

    @property
    def waiting(self) -> int:
        """Requests that are not answered."""
        return len(self._exchanges)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.connections.add(self)

    def connection_lost(self, _error: Exception | None) -> None:
        self.closed = True
        self._release()
        self._server.forget(self)

    def pause_writing(self) -> None:
        self._writable = False
        self._throttle()

    def resume_writing(self) -> None:
        self._writable = True
        self._throttle()

    def data_received(self, data: bytes) -> None:
        if self._last:
            return
        self._silent += len(data)
        try:
            self._parser.feed_data(data)
            self._check_head(self._silent)
        except httptools.HttpParserUpgrade:
            pass  # declined by answering as if it had not been asked for
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._refuse(cause if isinstance(cause, PredictorError) else BadInputError(f"Not HTTP/1.1: {error}."))
        except HeadTooLargeError as error:
            self._refuse(error)

    # what the parser finds, in the order in which it finds it

    def on_message_begin(self) -> None:
        self._begin()
        self._in_head = self._receiving = True
        self._since = time.monotonic()

    def on_url(self, url: bytes) -> None:
        self._silent = 0
        self._head_bytes += len(url)
        self._check_head(self._head_bytes)
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._silent = 0
        self._head_bytes += len(name) + len(value) + FIELD_BYTES
        self._check_head(self._head_bytes)
        if not self._in_head:
            return  # a trailer, of which none is known (RFC 9110 section 6.5.1)
        name = name.lower()
        self._headers[name] = self._headers[name] + b", " + value if name in self._headers else value

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._check_size(int(self._headers.get(b"content-length", 0)))
        if self._headers.get(b"expect", b"").lower() == b"100-continue" and not self._exchanges:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, part: bytes) -> None:
        self._silent = 0
        self._check_room()
        self._size += len(part)
        self._server.receiving += len(part)
        self._check_size(self._size)
        if isinstance(self._body, bytearray):
            self._body += part
        else:  # most bodies come in one part, and are not copied
            self._body = bytearray(self._body) + part if self._body else part

    def on_message_complete(self) -> None:
        self._receiving = False
        self._silent = 0
        parser = self._parser
        if not parser.should_keep_alive() or parser.get_http_version() == "1.0" or b"upgrade" in self._headers:
            self._last = True
        method = parser.get_method().decode("ascii")
        exchange = Exchange(self, method, _path(self._url), self._headers, bytes(self._body))
        self._release()
        self._exchanges.append(exchange)
        if len(self._exchanges) >= MAX_PIPELINED:
            self._throttle()
        self._server.take(exchange)

    def flush(self) -> None:
        """Write the answers that are next in order."""
        close = False
        while self._exchanges and (reply := self._exchanges[0].reply):
            self._exchanges.popleft()
            close = (self._last or self._server.parting) and not self._exchanges
            if not self.closed:
                ending = b"connection: close\r\n\r\n" if close else b"\r\n"
                self._transport.write(b"".join((reply[0], self._server.date, ending, reply[1])))
        if close:
            self._close()
        elif not self._transport.is_reading():
            self._throttle()
        if not self._receiving:
            self._since = time.monotonic()

    def sweep(self, now: float) -> None:
        """Close when the client takes too long to send, or has been idle for long."""
        settings = self._server.settings
        since = self._since
        if self._receiving:
            limit = LINGER_SECONDS if self._last else settings.receive_seconds
        else:
            limit = QUIET_SECONDS if self._server.parting else settings.idle_seconds
            since = max(since, self._server.draining_since)
        if not self._exchanges and now - since > limit:
            # close() waits until everything is written, which a client that reads nothing could put off for ever
            end = self._transport.abort if self._transport.is_closing() else self._transport.close
            end()

    def drop(self) -> None:
        """Close at once, whatever is under way."""
        self._transport.abort()

    def _begin(self) -> None:
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._body = b""
        self._size = 0
        self._head_bytes = 0
        self._in_head = False

    def _release(self) -> None:
        """Hold no body any longer."""
        self._server.receiving -= self._size
        self._size = 0
        self._body = b""

    def _check_head(self, size: int) -> None:
        if size > MAX_HEAD_BYTES:
            raise HeadTooLargeError(f"The headers are larger than {MAX_HEAD_BYTES} bytes.")

    def _check_room(self) -> None:
        """Refuse when the bodies of other clients are too much already: one alone is bounded by its own limit."""
        if self._server.receiving - self._size >= self._server.settings.max_queue_bytes:
            raise QueueFullError(f"{self._server.receiving} bytes of bodies are being received already.")

    def _check_size(self, size: int) -> None:
        limit = self._server.settings.max_body_bytes
        if size > limit:
            raise PayloadTooLargeError(f"The body is larger than {limit} bytes.")

    def _refuse(self, error: PredictorError) -> None:
        """Answer what cannot become an exchange, and take no more."""
        if self._last:
            return  # data behind a request that closes the connection
        self._last = self._receiving = True
        self._release()
        exchange = Exchange(self, "", "", {}, b"")
        self._exchanges.append(exchange)
        exchange.refuse(error)

    def _throttle(self) -> None:
        """Read no more of a client that sends requests, but does not read its answers."""
        if self._writable and len(self._exchanges) < MAX_PIPELINED:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def _close(self) -> None:
        if self._receiving and self._transport.can_write_eof():
            self._since = time.monotonic()
            self._transport.write_eof()
        else:
            self._transport.close()


def _path(url: bytes) -> str:
    if not url.startswith(b"/"):  # absolute form, RFC 9112 section 3.2.2
        url = httptools.parse_url(url).path or b"/"
    return url.partition(b"?")[0].decode("latin-1")
