"""A SageMaker endpoint over real HTTP that does as it is told: one behaviour a request, named after its fault."""

import contextlib
import json
import os
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

Behaviour = Callable[[socket.socket], None]
PREDICTIONS = b'{"predictions": [0]}'


@dataclass(frozen=True, slots=True)
class Received:
    path: str
    headers: dict[str, str]
    body: bytes


def answers(status: int, body: bytes = PREDICTIONS, *, length: int | None = None, **headers: str) -> Behaviour:
    """Answer in full; `length` is a Content-Length that may lie, header names have _ for -."""
    named = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status} Status", f"Content-Length: {len(body) if length is None else length}"]
    head = "\r\n".join([*lines, *(f"{name}: {value}" for name, value in named.items())]) + "\r\n\r\n"
    return lambda connection: connection.sendall(head.encode() + body)


def refuses(status: int, code: str, message: str = "a message", **members: Any) -> Behaviour:
    """Answer with an AWS error, its members at the top level as SageMaker sends them."""
    return answers(status, json.dumps({"Message": message, **members}).encode(), x_amzn_ErrorType=code)


def model_error(original: int, message: str = "") -> Behaviour:
    """Answer as SageMaker does for a container that failed: with the container's words in two places."""
    told = f'Received error ({original}) from primary with message "{message}".'
    members = {"OriginalStatusCode": original, "OriginalMessage": message, "LogStreamArn": "arn:log"}
    return refuses(424, "ModelError", told, **members)


def then_closes(behaviour: Behaviour) -> Behaviour:
    """Do as told, and end the connection where more was promised."""

    def close(connection: socket.socket) -> None:
        behaviour(connection)
        connection.shutdown(socket.SHUT_RDWR)

    return close


def slowly(seconds: float, behaviour: Behaviour) -> Behaviour:
    def wait(connection: socket.socket) -> None:
        time.sleep(seconds)
        behaviour(connection)

    return wait


def never_answers(connection: socket.socket) -> None:
    """Hold the connection until the other side leaves."""
    connection.recv(1)


def drips_headers(connection: socket.socket) -> None:
    """Send a header line every 50 ms, so that no single read is slow."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for _ in range(200):
        connection.sendall(b"X-Slow: yes\r\n")
        time.sleep(0.05)


def drips_body(connection: socket.socket) -> None:
    """Send a byte every 50 ms, so that no single read is slow."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(200):
        connection.sendall(b"0")
        time.sleep(0.05)


def resets(connection: socket.socket) -> None:
    """Drop the connection with a RST instead of an answer."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(connection.detach())


def hangs_up(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def speaks_no_http(connection: socket.socket) -> None:
    connection.sendall(b"220 mail.example.com ESMTP\r\n")
    connection.shutdown(socket.SHUT_RDWR)


def breaks_off_a_chunk(connection: socket.socket) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    connection.sendall(head + b"ff\r\n" + PREDICTIONS)
    connection.shutdown(socket.SHUT_RDWR)


@dataclass
class Endpoint:
    """`behaviours` in turn, the last one for all that follow; what came in is in `received`."""

    url: str
    behaviours: Sequence[Behaviour] = (answers(200),)
    received: list[Received] = field(default_factory=list)
    # The ports that requests came from.
    connections: set[int] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, received: Received, port: int) -> Behaviour:
        with self.lock:
            self.received.append(received)
            self.connections.add(port)
            return self.behaviours[min(len(self.received), len(self.behaviours)) - 1]


class _Handler(socketserver.StreamRequestHandler):
    endpoint: Endpoint

    def handle(self) -> None:
        # The other side leaves early by design.
        with contextlib.suppress(OSError):
            while line := self.rfile.readline():
                headers = dict(self._headers())
                body = self.rfile.read(int(headers.get("content-length", 0)))
                received = Received(line.split()[1].decode(), headers, body)
                self.endpoint.take(received, self.client_address[1])(self.connection)

    def _headers(self) -> Iterator[tuple[str, str]]:
        while (line := self.rfile.readline().strip()) != b"":
            name, _, value = line.decode().partition(":")
            yield name.lower(), value.strip()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    # Bodies that never end must not hold the test up.
    block_on_close = False


@contextlib.contextmanager
def running() -> Iterator[Endpoint]:
    handler = type("Handler", (_Handler,), {})
    with _Server(("127.0.0.1", 0), handler) as server:
        handler.endpoint = endpoint = Endpoint(f"http://127.0.0.1:{server.server_address[1]}")  # type: ignore[attr-defined]  # set on the class for its instances
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield endpoint
        finally:
            server.shutdown()
            thread.join()
