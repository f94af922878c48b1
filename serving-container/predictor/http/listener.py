"""The listening socket and its connections: opened, bounded, swept of the slow and the idle, drained."""

import asyncio
import math
import resource
import socket
import time
from collections.abc import Callable
from email.utils import formatdate

from predictor.errors import PredictionError, PredictorError
from predictor.http.connection import Connection
from predictor.http.exchange import Exchange
from predictor.http.room import Room
from predictor.logs import RateLimitedWarning, log
from predictor.settings import Settings

BACKLOG = 512
"""Connections that the kernel keeps until they are taken."""
SWEEP_SECONDS = 0.5
RETRY_SECONDS = 1.0
"""Until connections are taken again after the system could not give one."""
OTHER_FILES = 32
"""Files that are no connection, besides the one of each worker: the log, the loop, the loader's pipes."""


class Server:
    """The listening socket and its connections."""

    def __init__(self, settings: Settings, app: Callable[[Exchange], None]) -> None:
        self.settings = settings
        self.connections: set[Connection] = set()
        self.draining = False
        self.draining_since = -math.inf
        self.date = b""
        self.room = Room(settings, self.connections)
        self._app = app
        self._opening: set[asyncio.Task[object]] = set()
        """Connections that are taken, and not set up yet."""
        self._most = settings.max_connections
        self._listening = False
        self._warn = RateLimitedWarning()
        self._socket: socket.socket

    async def listen(self) -> int:
        """Open the port and return its number; raises OSError when it is taken."""
        others = OTHER_FILES + self.settings.workers
        self._most = max(1, min(self._most, raise_file_limit(self._most + others) - others))
        self._tick()
        family = socket.AF_INET6 if ":" in self.settings.host else socket.AF_INET
        self._socket = socket.create_server((self.settings.host, self.settings.port), family=family, backlog=BACKLOG)
        self._socket.setblocking(False)  # noqa: FBT003  # the standard library's signature
        self._resume()
        port: int = self._socket.getsockname()[1]
        return port

    @property
    def full(self) -> bool:
        """Whether there is no room for another connection."""
        return len(self.connections) + len(self._opening) >= self._most

    @property
    def parting(self) -> bool:
        """Whether connections end with their last answer: because all must, or to make room."""
        return self.draining or self.full

    def take(self, exchange: Exchange) -> None:
        """Hand a request to the application; what it raises becomes the answer."""
        try:
            self._app(exchange)
        except PredictorError as error:
            exchange.refuse(error)
        except Exception:  # noqa: BLE001  # a connection never sees a fault of the application's
            log.exception("the server failed on a request")
            exchange.refuse(PredictionError("The server failed; its log says why."))

    def forget(self, connection: Connection) -> None:
        """Go on without a connection that has ended, and with one that has waited for its place."""
        self.connections.discard(connection)
        self._resume()

    async def drain(self, seconds: float) -> int:
        """Stop accepting, answer what was accepted, and return how many requests could not be answered in time."""
        end = time.monotonic() + seconds
        self._accept()  # what clients have opened already: closing the socket would reset it
        self.draining = True
        self.draining_since = time.monotonic()
        self._stop_listening()
        if self._opening:
            await asyncio.wait(self._opening)
        while self.connections and time.monotonic() < end:
            await asyncio.sleep(0.02)
            self._sweep()
        return sum(connection.waiting for connection in self.connections)

    def close(self) -> None:
        """Stop listening, and drop every connection."""
        self.draining = True
        self._stop_listening()
        for connection in tuple(self.connections):
            connection.drop()

    def _accept(self) -> None:
        """Take the connections that clients have opened, as many as there is room for."""
        loop = asyncio.get_running_loop()
        while not self.full:
            try:
                client, _ = self._socket.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:  # EMFILE, ENFILE, ENOBUFS, ENOMEM
                self._warn(f"cannot accept connections: {error.strerror}; trying again")
                loop.call_later(RETRY_SECONDS, self._resume)
                break
            client.setblocking(False)  # noqa: FBT003  # the standard library's signature
            task = loop.create_task(loop.connect_accepted_socket(lambda: Connection(self), client))
            self._opening.add(task)
            task.add_done_callback(self._opened)
        self._pause()

    def _opened(self, task: asyncio.Task[object]) -> None:
        self._opening.discard(task)
        self._resume()

    def _resume(self) -> None:
        if not (self.draining or self._listening):
            self._listening = True
            asyncio.get_running_loop().add_reader(self._socket, self._accept)

    def _pause(self) -> None:
        if self._listening:
            self._listening = False
            asyncio.get_running_loop().remove_reader(self._socket)

    def _stop_listening(self) -> None:
        self._pause()
        self._socket.close()

    def _tick(self) -> None:
        self.date = f"date: {formatdate(usegmt=True)}\r\n".encode()
        for connection in tuple(self.connections):
            connection.measure(SWEEP_SECONDS)
        self._sweep()
        asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._tick)

    def _sweep(self) -> None:
        now = time.monotonic()
        for connection in tuple(self.connections):
            connection.sweep(now)


def raise_file_limit(wanted: int) -> int:
    """Let this process open `wanted` files, or as many as it may; returns how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return most
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most
