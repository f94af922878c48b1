"""One client's connection: bytes in, exchanges out, their answers back in order.

The exchanges of a connection are answered in the order in which they came, whatever the order in which they get done.
Nothing is parsed while answers cannot be written, so that a client that does not read is not served further.
"""

import asyncio
import math
import time
from collections import deque
from typing import Protocol

from predictor.errors import BadInputError, PredictorError, QueueFullError
from predictor.http.exchange import Exchange
from predictor.http.parser import Parser
from predictor.http.room import Room
from predictor.settings import Settings

MAX_PIPELINED = 64
"""Exchanges of one connection that may wait before it is read no further."""
LINGER_SECONDS = 5.0
"""How long the rest of a refused request is read and dropped; to close at once would destroy the answer on its way."""
CROWDED_SECONDS = 5.0
CROWDED_PACE = 1000.0
"""How long a request may take that comes at fewer bytes a second, while no further connection can be accepted."""
QUIET_SECONDS = 0.5
"""How long an idle connection is kept while connections part, for the request that may be on its way."""


class Host(Protocol):
    """What a connection knows of its server."""

    settings: Settings
    connections: "set[Connection]"
    room: Room
    draining_since: float
    """When connections were told to end, on the clock of time.monotonic(); before that, minus infinity."""
    date: bytes

    @property
    def full(self) -> bool:
        """Whether there is no room for another connection."""

    @property
    def parting(self) -> bool:
        """Whether a connection ends with its last answer."""

    def take(self, exchange: Exchange) -> None:
        """Answer a request, now or later."""

    def forget(self, connection: "Connection") -> None:
        """Take note that a connection has ended."""


class Connection(asyncio.Protocol):
    """One client's connection: hands bytes to the parser, and writes answers in order."""

    def __init__(self, server: Host) -> None:
        self._server = server
        self._room = server.room
        self._parser = Parser(self, server.settings.max_body_bytes)
        self._transport: asyncio.Transport
        self._data = b""
        """Bytes that have come; they are parsed from `_start` on."""
        self._start = 0
        self._exchanges: deque[Exchange] = deque()
        self._ready = 0
        """Bytes of answers that are ready and not written, since an earlier one is not."""
        self._parsing = False
        self._turn_asked = False
        self._lingering = False
        """Whether what comes is read and dropped."""
        self._last = False
        """Whether no further request is taken."""
        self._half_closed = False
        """Whether the client sends no more; it may still read."""
        self._writable = True
        self._paused = False
        """Whether nothing is read."""
        self._since = time.monotonic()
        """When the connection fell idle."""
        self._moved = 0
        """Bytes received, and given to the transport to be sent, since the pace was last measured."""
        self._buffered = 0
        """Bytes that the transport held then."""
        self.closed = False
        self.receiving = 0
        self.sending = 0
        self.pace = math.inf

    @property
    def waiting(self) -> int:
        """Requests that are not answered."""
        return len(self._exchanges)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.connections.add(self)

    def connection_lost(self, _error: Exception | None) -> None:
        self._let_go()
        self._server.forget(self)

    def pause_writing(self) -> None:
        self._writable = False
        self._throttle()

    def resume_writing(self) -> None:
        self._writable = True
        self._parse()

    def data_received(self, data: bytes) -> None:
        if self._last:
            return
        self._moved += len(data)
        self._data = self._data[self._start :] + data if self._data else data
        self._start = 0
        self._parse()

    def eof_received(self) -> bool:
        """Answer what has come, for a client may close its side and still read (RFC 9112 section 9.6)."""
        self._half_closed = True
        if self._parser.receiving and not self._last:
            self._refuse(BadInputError("The request ends before it is complete."))
        self._last = True
        return bool(self._exchanges)

    def admit(self, size: int) -> None:
        """Hold a body of this size, if there is room."""
        if not self.receiving:
            self.pace = math.inf
        self._room.receive(self, size)

    def answered(self, exchange: Exchange) -> None:
        """Write the answers that are next in order; that of `exchange` has become ready."""
        if exchange is not self._exchanges[0]:
            self._ready += exchange.size
            self._account()
            return
        close = False
        while self._exchanges and (reply := self._exchanges[0].reply):
            done = self._exchanges.popleft()
            if done is not exchange:
                self._ready -= done.size
            close = not self._exchanges and (self._last or (self._server.parting and not self._data))
            if not self.closed:
                ending = b"connection: close\r\n\r\n" if close else b"\r\n"
                data = b"".join((reply[0], self._server.date, ending, reply[1]))
                self._moved += len(data)
                self._transport.write(data)
        self._since = time.monotonic()
        if close:
            self._close()
        if self.sending or self._transport.get_write_buffer_size():
            self._account()
        if not self._parsing and (self._data or self._paused or self._parser.expecting):
            self._parse()

    def measure(self, seconds: float) -> None:
        """Find out at what pace the client has moved bytes in the time since this was last called."""
        buffered = self._transport.get_write_buffer_size()
        pace = (self._moved + self._buffered - buffered) / seconds
        self.pace = pace if math.isinf(self.pace) else (self.pace + pace) / 2
        self._moved, self._buffered = 0, buffered
        if self.sending or buffered:
            self._account()

    def sweep(self, now: float) -> None:
        """Close when the client takes too long to send, or has been idle for long."""
        settings = self._server.settings
        since = self._since
        if self._lingering:
            limit = LINGER_SECONDS
        elif self._parser.receiving:
            crowding = self._server.full and self.pace < CROWDED_PACE
            limit = min(settings.receive_seconds, CROWDED_SECONDS if crowding else math.inf)
            since = self._parser.since
        else:
            limit = QUIET_SECONDS if self._server.parting else settings.idle_seconds
            since = max(since, self._server.draining_since)
        if not self._exchanges and now - since > limit:
            # close() waits until everything is written, which a client that reads nothing could put off for ever
            end = self._transport.abort if self._transport.is_closing() else self._transport.close
            end()

    def evict(self) -> None:
        """Refuse the body that is being received, and hold it no longer."""
        self._refuse(QueueFullError("The body came too slowly while others waited for room."))

    def drop(self) -> None:
        """Close at once, whatever is under way."""
        self._let_go()
        self._transport.abort()

    def _parse(self) -> None:
        """Take the next request that has come, if its answer can be written; then other connections have their turn."""
        parser = self._parser
        self._parsing = True
        if self._may_take():
            refusal = None
            try:
                self._start = parser.feed(self._data, self._start)
            except PredictorError as error:
                refusal = error
            if self._start == len(self._data):
                self._data, self._start = b"", 0
            if parser.complete:
                self._take(parser.complete)
            if refusal and not self._last:
                self._refuse(refusal)
        self._parsing = False
        if self._data or self._paused or parser.expecting:
            self._go_on()

    def _go_on(self) -> None:
        """Bring about that what is left is parsed, or more is read, as soon as it may be."""
        if self._parser.expecting and not self._exchanges:
            self._parser.expecting = False
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._account()
        self._throttle()
        if self._may_take() and not self._turn_asked:
            self._turn_asked = True
            asyncio.get_running_loop().call_soon(self._have_turn)

    def _have_turn(self) -> None:
        self._turn_asked = False
        self._parse()

    def _may_take(self) -> bool:
        return bool(self._data) and self._writable and not self._last and len(self._exchanges) < MAX_PIPELINED

    def _take(self, exchange: Exchange) -> None:
        self._last = self._parser.last
        if self.receiving:
            self._room.receive(self, 0)
        self._exchanges.append(exchange)
        if len(self._exchanges) >= MAX_PIPELINED:
            self._throttle()
        self._server.take(exchange)

    def _refuse(self, error: PredictorError) -> None:
        """Answer what cannot become an exchange, and take no more."""
        self._last = self._lingering = True
        self._forget()
        exchange = Exchange(self, "", "", {}, b"")
        self._exchanges.append(exchange)
        exchange.refuse(error)

    def _account(self) -> None:
        """Let the server know what this client makes it hold by not reading."""
        size = len(self._data) - self._start + self._ready + self._transport.get_write_buffer_size()
        if self.closed or size == self.sending:
            return
        if not self.sending:
            self.pace = math.inf
        self._room.send(self, size)

    def _throttle(self) -> None:
        """Read no more of a client that sends requests, but does not read its answers."""
        busy = bool(self._data) or not self._writable or len(self._exchanges) >= MAX_PIPELINED
        self._paused = busy and not self._last
        if self._paused:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _close(self) -> None:
        self._last = True
        if self._parser.receiving:
            self._lingering = True
        if self._lingering and not self._half_closed and self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()

    def _forget(self) -> None:
        """Hold nothing of what has come."""
        self._data, self._start = b"", 0
        self._parser.expecting = False
        self._parser.release()
        if self.receiving:
            self._room.receive(self, 0)

    def _let_go(self) -> None:
        """Hold nothing any longer: the connection has ended."""
        self.closed = True
        self._forget()
        if self.sending:
            self._room.send(self, 0)
