"""Serve an ASGI application on one socket, quietly: both local servers are started the same way."""

import argparse
import os
import socket
import sys

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from local.errors import PortTakenError
from local.perimeter import Perimeter

# A request in flight is answered before the server leaves; one that hangs does not keep it.
SHUTDOWN_SECONDS = 5


class Protocol(H11Protocol):
    """uvicorn's protocol on h11; the one on httptools drops a body that comes with an offer to upgrade."""

    # A client may close its side when it has sent all, and still read the answer.
    _client_ended = False

    def eof_received(self) -> bool:  # type: ignore[override]  # the base class gives None, which closes
        """Keep the connection open while an answer is on its way."""
        self._client_ended = True
        return self._is_answering()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._client_ended and not self._is_answering():
            self.transport.close()

    def _is_answering(self) -> bool:
        # Annotated as always there by uvicorn; None until the first request.
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete and not cycle.more_body

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: every HTTP/2 client makes the offer."""


def add_address_arguments(parser: argparse.ArgumentParser, *, port: int) -> None:
    """Let the caller say where to listen: an address, or a socket that is bound already."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=port, help="port to listen on; 0 for any (default: %(default)s)")
    parser.add_argument("--fd", type=int, help="number of an inherited, bound socket to listen on instead")


def open_socket(arguments: argparse.Namespace, part: str) -> socket.socket:
    """Return the socket the arguments name."""
    if arguments.fd is not None:
        return socket.socket(fileno=arguments.fd)
    return bind(arguments.host, arguments.port, part)


def bind(host: str, port: int, part: str) -> socket.socket:
    """Reserve a port; nobody can connect before the server listens on it. Raises PortTakenError."""
    sock = socket.socket()
    # A port whose last connections are still in TIME_WAIT is free; one with a listener is not.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise PortTakenError(port, part, os.strerror(error.errno or 0).lower()) from error
    return sock


def configuration(app: ASGIApp, sock: socket.socket, origin: str = "") -> uvicorn.Config:
    """Return how `app` is served on `sock`; `origin` is that of the pages which may call it besides local ones."""
    return uvicorn.Config(
        Perimeter(app, listens_on=sock.getsockname()[0], origin=origin),
        http=Protocol,
        ws="none",
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )


def serve(app: ASGIApp, sock: socket.socket, origin: str = "") -> None:
    """Answer requests until SIGTERM or SIGINT."""
    uvicorn.Server(configuration(app, sock, origin)).run(sockets=[sock])
    sys.exit(0)
