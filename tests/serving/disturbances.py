"""What happens to a server in its life, each in a thread: workers that die, and clients of every bad kind."""

import os
import random
import signal
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event
from typing import TYPE_CHECKING

from tests.serving.processes import Client, Process, children, wait_until

if TYPE_CHECKING:
    from multiprocessing import Queue

BODY = b'{"data": [[7, 0]]}'
HEAD = b"POST /invocations HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
REQUEST = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
UNFINISHED = HEAD + b"Content-Length: 20000000\r\n\r\n" + b" " * 5_000_000


@dataclass
class Life:
    """A server that is disturbed, and what came of it."""

    server: Process
    seconds: float
    over: threading.Event = field(default_factory=threading.Event)
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[object] = field(default_factory=list)
    pings: list[float] = field(default_factory=list)
    """Seconds that each took."""

    def connect(self) -> socket.socket:
        host, port = self.server.address.split(":")
        return socket.create_connection((host, int(port)), timeout=20)

    def able(self) -> bool:
        return self.server.metric("serving_workers") == 2

    def repeat(self, deed: "Deed") -> None:
        """Do it again and again until it is over; what fails before is wrong."""
        while not self.over.is_set():
            try:
                deed(self)
                self.counts[deed.__name__] += 1
            except Exception as error:  # noqa: BLE001  # the test shows it
                if not self.over.is_set():
                    self.wrong.append((deed.__name__, repr(error)))
                return


Deed = Callable[[Life], None]


def ask_in_order(life: Life) -> None:
    """Ask over one connection, and compare each answer with its question."""
    with life.server.client() as client:
        for number in range(50):
            row = float(random.randrange(10**9))
            reply = client.predict(*[[row + place, 0.0] for place in range(1 + number % 3)])
            if reply.status != 200 or reply.json() != {"predictions": [row + place for place in range(1 + number % 3)]}:
                life.wrong.append((row, reply))
            life.counts["answers"] += 1
            if reply.headers.get("connection") == "close" or life.over.is_set():
                return


def ping(address: str, over: Event, results: "Queue[tuple[list[float], list[object]]]") -> None:
    """Ask for /ping until it is over, in a process of its own, which threads do not hold up."""
    seconds: list[float] = []
    wrong: list[object] = []
    with suppress(KeyboardInterrupt):
        while not over.wait(0.02):
            start = time.monotonic()
            try:
                client = Client(address, timeout=20)
                status: object = client.ask("GET", "/ping").status
                client.connection.close()
            except OSError as error:
                status = repr(error)
            seconds.append(time.monotonic() - start)
            if status != 200:
                wrong.append(("ping", status))
    results.put((seconds, wrong))


def kill_a_worker(life: Life) -> None:
    """One after the other, so that another can predict meanwhile."""
    wait_until(lambda: life.over.is_set() or life.able(), 60)
    workers = life.server.workers()
    if workers and not life.over.is_set():
        with suppress(ProcessLookupError):
            os.kill(random.choice(workers), random.choice((signal.SIGKILL, signal.SIGSEGV)))
    life.over.wait(0.3)


def kill_the_loader(life: Life) -> None:
    life.over.wait(life.seconds / 3)
    for loader in children(life.server.popen.pid):
        if not life.over.is_set():
            os.kill(loader, signal.SIGKILL)


def leave(life: Life) -> None:
    """Hang up in the middle of a request or before its answer, with a reset or without."""
    with life.connect() as client:
        client.sendall(REQUEST[: random.randrange(1, len(REQUEST) + 1)])
        if random.random() < 0.5:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    time.sleep(0.005)


def send_slowly(life: Life) -> None:
    with life.connect() as client:
        for start in range(0, len(REQUEST), 7):
            client.sendall(REQUEST[start : start + 7])
            time.sleep(0.01)
        answer = client.recv(4096)
        if not answer.endswith(b'{"predictions":[7.0]}'):
            life.wrong.append(("slow", answer))


def leave_a_body_unfinished(life: Life) -> None:
    """Until the server refuses it for others, or the client has had enough."""
    with life.connect() as client, suppress(ConnectionError, TimeoutError):
        client.sendall(UNFINISHED)
        client.settimeout(3)
        client.recv(4096)


def read_nothing(life: Life) -> None:
    """Pipeline requests, and leave the answers where they are."""
    with life.connect() as client, suppress(ConnectionError, TimeoutError):
        client.settimeout(0.5)
        for _ in range(100):
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n" * 200)
        life.over.wait(1)


def close_its_side(life: Life) -> None:
    with life.connect() as client:
        client.sendall(REQUEST)
        client.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: client.recv(4096), b""))
        if not answer.endswith(b'{"predictions":[7.0]}'):
            life.wrong.append(("half-closed", answer))
    time.sleep(0.01)
