"""Bytes to requests, one at a time: httptools (llhttp, the parser of Node.js), and what RFC 9112 asks beyond it."""

import re
import time
from functools import lru_cache
from typing import Protocol

import httptools

from predictor.errors import (
    BadInputError,
    HeadTooLargeError,
    NotSupportedError,
    PayloadTooLargeError,
    PredictorError,
    VersionError,
)
from predictor.http import exchange

MAX_HEAD_BYTES = 64 * 1024
"""Request line, headers and trailers; SageMaker passes on a handful."""
TOO_LARGE = f"The headers are larger than {MAX_HEAD_BYTES} bytes."
FIELD_BYTES = 32
"""What a header counts besides its name and value, as in HTTP/2 (RFC 9113 section 6.5.2)."""
END = b"\r\n\r\n"
"""Ends a head, and a chunked body with or without trailers: nothing else ends a request without Content-Length."""
SMALL_BYTES = 512
"""What may be searched for another END rather than parsed by itself."""
HOST = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::\d*)?")
"""RFC 9112 section 3.2: empty, a name or an address, and a port. Two fields are joined by a blank, which is in none."""


class Carrier(exchange.Carrier, Protocol):
    """What the parser knows of its connection."""

    def admit(self, size: int) -> None:
        """Take note of the size that the body is about to have; raises PredictorError if it may not."""


class Parser:
    """The requests of one connection; it holds what has come of the one that is being received."""

    def __init__(self, connection: Carrier, max_body_bytes: int) -> None:
        self._connection = connection
        self._max_body_bytes = max_body_bytes
        self._parser = httptools.HttpRequestParser(self)
        self._host: bytes | None = None
        """The last Host that was found good."""
        self._silent = 0
        """Bytes in which the parser has found nothing: a part of something that may have no end."""
        self._tail = b""
        """The last bytes before those that come next, for they may be the beginning of an END."""
        self.receiving = False
        self.since = 0.0
        """When the request began that is being received."""
        self.expecting = False
        """Whether the client waits for 100 Continue before it sends the body."""
        self.last = False
        """Whether the connection ends with the answer to the request that is complete."""
        self.complete: exchange.Exchange | None = None
        self._body: bytes | bytearray
        self._begin()

    def feed(self, data: bytes, start: int) -> int:
        """Parse one request, and return where the next may begin.

        A request that is whole is then `complete`. Raises PredictorError, also for what follows a request that is
        complete; nothing further can be read after that.
        """
        self.complete = None
        size = len(data)
        while start < size and not self.complete:
            end = min(start + self._left, size) if self._left else self._end(data, start)
            self._silent += end - start
            try:
                self._parser.feed_data(data if end - start == size else memoryview(data)[start:end])
            except httptools.HttpParserUpgrade as offer:
                end = start + offer.args[0]
                if self._declining:
                    self._decline()
            except httptools.HttpParserError as error:
                cause = error.__context__
                raise (
                    cause if isinstance(cause, PredictorError) else BadInputError(f"Not HTTP/1.1: {error}.")
                ) from error
            if self._silent > MAX_HEAD_BYTES:
                raise HeadTooLargeError(TOO_LARGE)
            start = end
        if self.receiving and not self._left:
            self._tail = (self._tail + data[-3:])[-3:]
        return start

    def release(self) -> None:
        """Hold no body any longer."""
        self.size = 0
        self._body = b""

    # what the parser finds, in the order in which it finds it

    def on_message_begin(self) -> None:
        self._begin()
        self._in_head = self.receiving = True
        self.since = time.monotonic()

    def on_url(self, url: bytes) -> None:
        self._silent = 0
        self._head_bytes += len(url)
        if self._head_bytes > MAX_HEAD_BYTES:
            raise HeadTooLargeError(TOO_LARGE)
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._silent = 0
        self._head_bytes += len(name) + len(value) + FIELD_BYTES
        if self._head_bytes > MAX_HEAD_BYTES:
            raise HeadTooLargeError(TOO_LARGE)
        if not self._in_head:
            return  # a trailer, of which none is known (RFC 9110 section 6.5.1)
        name = name.lower()
        headers = self._headers
        headers[name] = headers[name] + b", " + value if name in headers else value

    def on_headers_complete(self) -> None:
        self._in_head = False
        headers, parser = self._headers, self._parser
        self._version = parser.get_http_version()
        if self._version != "1.1":
            self._check_version()
        if (host := headers.get(b"host")) != self._host or host is None:
            self._check_host(host)
        if b"transfer-encoding" in headers:
            self._check_codings(headers[b"transfer-encoding"])
            self._chunked = True
        elif b"content-length" in headers:
            self._left = int(headers[b"content-length"])
            self._check_size(self._left)
        if parser.should_upgrade():
            if parser.get_method() == b"CONNECT":
                raise NotSupportedError("This is no proxy.")
            self._declining = self._chunked or self._left > 0
        if b"expect" in headers and self._version == "1.1":
            self.expecting = headers[b"expect"].strip().lower() == b"100-continue"

    def on_body(self, part: bytes) -> None:
        self._silent = 0
        self.expecting = False
        if self._chunked:
            self._check_size(self.size + len(part))
        else:
            self._left -= len(part)
        if self._left or self._chunked:  # else it is whole, and no longer on its way
            self._connection.admit(self.size + len(part))
        self.size += len(part)
        if isinstance(self._body, bytearray):
            self._body += part
        else:  # most bodies come in one part, and are not copied
            self._body = bytearray(self._body) + part if self._body else part

    def on_message_complete(self) -> None:
        parser = self._parser
        self.last = self._version == "1.0" or not parser.should_keep_alive()
        if self._declining:
            return
        self._silent = 0
        self.receiving = self.expecting = False
        method = parser.get_method().decode("ascii")
        self.complete = exchange.Exchange(self._connection, method, _path(self._url), self._headers, bytes(self._body))
        self.release()

    def _begin(self) -> None:
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._version = ""
        self._body = b""
        self.size = 0
        """Bytes that have come of the body."""
        self._left = 0
        """Bytes of Content-Length that have not come."""
        self._chunked = False
        self._head_bytes = 0
        self._in_head = False
        self._declining = False
        """Whether the request offers to upgrade and has a body, which llhttp does not read then."""

    def _end(self, data: bytes, start: int) -> int:
        """Where the next END ends, which may have begun in the data before.

        If no other END follows within a few bytes, their end: no second request can be complete there, and the body of
        a small one is parsed along with its head.
        """
        tail, self._tail = self._tail, b""
        found = (tail + data[start : start + 3]).find(END) if tail else -1
        if found >= 0:
            end = start + found + len(END) - len(tail)
        else:
            found = data.find(END, start)
            if found < 0:
                return len(data)
            end = found + len(END)
        return len(data) if len(data) - end <= SMALL_BYTES and data.find(END, end) < 0 else end

    def _decline(self) -> None:
        """Go on as if no upgrade had been offered (RFC 9110 section 7.8).

        llhttp takes what follows the head of such a request for another protocol's. So a new parser is given a head
        with the same framing and without the offer, and reads the body; all else stays as the first has found it.
        """
        found = self._url, self._headers, self._head_bytes
        framing = b"Transfer-Encoding: chunked" if self._chunked else b"Content-Length: %d" % self._left
        ending = b"close" if self.last else b"keep-alive"
        line = b"%s / HTTP/%s" % (self._parser.get_method(), self._version.encode())
        self._parser = httptools.HttpRequestParser(self)
        self._parser.feed_data(b"%s\r\nHost:\r\nConnection: %s\r\n%s\r\n\r\n" % (line, ending, framing))
        self._url, self._headers, self._head_bytes = found

    def _check_version(self) -> None:
        if self._version != "1.0":
            raise VersionError(f"Expected HTTP/1.1, got HTTP/{self._version}.")

    def _check_host(self, host: bytes | None) -> None:
        """RFC 9112 section 3.2: one Host, and a valid one, or 400."""
        if host is None:
            if self._version == "1.1":
                raise BadInputError("Expected a Host header, got none.")
        elif not HOST.fullmatch(host.strip(b" \t")):
            raise BadInputError("Expected one valid Host header.")
        self._host = host

    def _check_codings(self, codings: bytes) -> None:
        """RFC 9112 sections 6.1 and 6.3: of codings, chunked is known, and another before it is 501."""
        codings = codings.strip().lower()
        if self._version == "1.0" or codings.rpartition(b",")[2].strip() != b"chunked":
            raise BadInputError("Expected a Transfer-Encoding of HTTP/1.1 that ends with chunked.")
        if codings != b"chunked":
            raise NotSupportedError("Of transfer codings, chunked alone is known.")

    def _check_size(self, size: int) -> None:
        if size > self._max_body_bytes:
            raise PayloadTooLargeError(f"The body is larger than {self._max_body_bytes} bytes.")


@lru_cache(maxsize=16)
def _path(url: bytes) -> str:
    if not url.startswith((b"/", b"*")):  # absolute form, RFC 9112 section 3.2.2
        url = httptools.parse_url(url).path or b"/"
    return url.partition(b"?")[0].decode("latin-1")
