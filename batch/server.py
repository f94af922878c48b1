"""The container's program on this machine, for as long as the batch runs, and one call of it."""

import json
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import IO, NamedTuple

from batch.errors import BatchError
from local.commands import Addresses, container
from local.process import Process
from local.server import bind

HOST = "127.0.0.1"
POLL_SECONDS = 0.05
LONG = "3600"
DEFAULTS = {
    "SERVING_TIMEOUT_SECONDS": LONG,
    "SERVING_STUCK_SECONDS": LONG,
    # A body holds as many rows as suit a call; more of them at once would leave other cores without work.
    "SERVING_MAX_BATCH_REQUESTS": "1",
    "SERVING_LOG_LEVEL": "warning",
    # The command ends it when all is answered, or when nobody waits any more.
    "SERVING_DRAIN_SECONDS": "0",
}
ATTEMPTS = 5
PAUSE_SECONDS = 0.2
UNAVAILABLE = 503


class Reply(NamedTuple):
    """What the container answered."""

    status: int
    content_type: str
    body: bytes


class Container:
    """The running container, asked by any thread."""

    def __init__(self, process: Process, port: int, log: IO[bytes]) -> None:
        self._process = process
        self._port = port
        self._log = log
        self._local = threading.local()
        self._connections: list[HTTPConnection] = []

    def wait(self) -> None:
        """Return when the model is loaded; raises BatchError when it cannot be."""
        while True:
            self._watch()
            try:
                if self._exchange("GET", "/ping", b"", {}).status == 200:  # noqa: PLR2004  # ready
                    return
            except (OSError, HTTPException):
                self._local.connection.close()
            time.sleep(POLL_SECONDS)

    def ask(self, body: bytes, content_type: str, accept: str) -> Reply:
        """Send a body to the model; what may succeed when sent again is sent again."""
        headers = {"Content-Type": content_type, "Accept": accept}
        for attempt in range(ATTEMPTS):
            time.sleep(PAUSE_SECONDS * attempt)
            try:
                reply = self._exchange("POST", "/invocations", body, headers)
            except (OSError, HTTPException):
                self._local.connection.close()
                self._watch()
                continue
            if reply.status != UNAVAILABLE:
                return reply
        raise BatchError(f"the container does not answer; its last message: {self.last_message()}")

    def last_message(self) -> str:
        """Return the last line of the container's log, and the error in it where there is one."""
        position = self._log.seek(0, 2)
        self._log.seek(max(0, position - 65_536))
        lines = self._log.read().decode(errors="replace").splitlines()
        if not lines:
            return "none"
        try:
            line = json.loads(lines[-1])
        except ValueError:
            return lines[-1]
        trace = line.get("traceback", "").strip().splitlines()
        return str(trace[-1] if trace else line.get("message", lines[-1]))

    def close(self) -> None:
        """Close the connections of all threads."""
        for connection in self._connections:
            connection.close()

    def _exchange(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        connection: HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = HTTPConnection(HOST, self._port, timeout=float(LONG))
            self._connections.append(connection)
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        return Reply(answer.status, answer.headers.get_content_type(), answer.read())

    def _watch(self) -> None:
        if self._process.exit_code is not None:
            raise BatchError(f"the model cannot be served: {self.last_message()}")


@contextmanager
def serving(python: Path, model: Path, environ: Mapping[str, str]) -> Iterator[Container]:
    """Serve a model with as many workers as there are cores; what the user has set of SERVING_* goes first."""
    with bind(HOST, 0, "batch") as sock:
        port = sock.getsockname()[1]
    addresses = Addresses("", "", f"http://{HOST}:{port}")
    with tempfile.TemporaryFile() as log:
        process = Process(container(python, model, addresses, {**DEFAULTS, **environ}), log.fileno())
        served = Container(process, port, log)
        try:
            served.wait()
            yield served
        finally:
            served.close()
            process.stop()
