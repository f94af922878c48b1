"""The listening socket and its connections: opened, swept of the slow and the idle, drained."""

import asyncio
import socket
import time
from collections.abc import Callable
from email.utils import formatdate

from predictor.connection import Connection, Exchange
from predictor.errors import PredictionError, PredictorError
from predictor.settings import Settings
from predictor.telemetry import log

BACKLOG = 2048
SWEEP_SECONDS = 0.5


class Server:
    """The listening socket and its connections."""

    def __init__(self, settings: Settings, app: Callable[[Exchange], None]) -> None:
        self.settings = settings
        self.connections: set[Connection] = set()
        self.draining = False
        self.date = b""
        self._app = app
        self._socket: socket.socket
        self._listener: asyncio.Server

    async def listen(self) -> int:
        """Open the port and return its number; raises OSError when it is taken."""
        self._tick()
        family = socket.AF_INET6 if ":" in self.settings.host else socket.AF_INET
        self._socket = socket.create_server((self.settings.host, self.settings.port), family=family, backlog=BACKLOG)
        self._listener = await asyncio.get_running_loop().create_server(
            lambda: Connection(self), sock=self._socket, backlog=BACKLOG
        )
        port: int = self._socket.getsockname()[1]
        return port

    def take(self, exchange: Exchange) -> None:
        """Hand a request to the application; what it raises becomes the answer."""
        try:
            self._app(exchange)
        except PredictorError as error:
            exchange.refuse(error)
        except Exception:  # noqa: BLE001  # a connection never sees a fault of the application's
            log.exception("the server failed on a request")
            exchange.refuse(PredictionError("The server failed; its log says why."))

    async def drain(self, seconds: float) -> int:
        """Stop accepting, answer what was accepted, and return how many requests could not be answered in time."""
        end = time.monotonic() + seconds
        self.draining = True
        await self._accept_waiting()
        self._listener.close()
        while self.connections and time.monotonic() < end:
            await asyncio.sleep(0.02)
            self._sweep()
        return sum(connection.waiting for connection in self.connections)

    def close(self) -> None:
        """Stop listening, and drop every connection."""
        self._listener.close()
        for connection in tuple(self.connections):
            connection.drop()

    async def _accept_waiting(self) -> None:
        """Take the connections that clients have opened already: closing the socket would reset them."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, _ = self._socket.accept()
            except BlockingIOError:
                return
            client.setblocking(False)  # noqa: FBT003
            await loop.connect_accepted_socket(lambda: Connection(self), client)

    def _tick(self) -> None:
        self.date = f"date: {formatdate(usegmt=True)}\r\n".encode()
        self._sweep()
        asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._tick)

    def _sweep(self) -> None:
        now = time.monotonic()
        for connection in tuple(self.connections):
            connection.sweep(now)
