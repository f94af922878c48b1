"""Serve an ASGI application on one socket, quietly: both local servers are started the same way."""

import argparse
import os
import socket
import sys

import uvicorn
from starlette.applications import Starlette

from local.errors import PortTakenError

# A request in flight is answered before the server leaves; one that hangs does not keep it.
SHUTDOWN_SECONDS = 5


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
    except OSError as exc:
        sock.close()
        raise PortTakenError(port, part, os.strerror(exc.errno or 0).lower()) from exc
    return sock


def serve(app: Starlette, sock: socket.socket) -> None:
    """Answer requests until SIGTERM or SIGINT."""
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=SHUTDOWN_SECONDS
    )
    uvicorn.Server(config).run(sockets=[sock])
    sys.exit(0)
