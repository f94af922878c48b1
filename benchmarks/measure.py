"""One visit to one server: start it, check its answers, load it with each work, stop it."""

import http.client
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.errors import ServerError
from benchmarks.load import Load, post
from benchmarks.models import Trained
from benchmarks.pinger import ping, pinging
from benchmarks.processes import pss_mb, running
from benchmarks.servers import Launch, Place, Server, tool
from benchmarks.work import Work

START_TIMEOUT_S = 90.0
POLL_S = 0.02
WARM_UP_S = 1
LONG_S = 3
"""A run that is shorter is not warmed up by itself: all runs of one visit are, together."""
CHECKED_BODIES = 48
"""Bodies of a work whose answers are compared with the model's, before each run."""
TOLERANCE = 1e-4
"""For predictions that are no labels: a compiled model may add in another order, and XGBoost in 32 bits."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one round found of one server under one work; a ping that failed is infinitely long."""

    round: int
    server: str
    work: Work
    load: Load
    pings_ms: tuple[float, ...]
    ready_s: float
    pss_mb: float


@dataclass(frozen=True, slots=True)
class Visit:
    """A server that has started and has predicted rightly once."""

    server: Server
    place: Place
    pid: int
    ready_s: float
    trained: Trained

    def measure(self, work: Work, round_: int, seconds: int) -> Measurement:
        check(self.server, self.place.port, work, self.trained)
        if seconds >= LONG_S:
            self.load(work, WARM_UP_S)
        with pinging(self.place.port, self.server.ping) as pings:
            load = self.load(work, seconds)
            weight = pss_mb(self.pid)
        return Measurement(round_, self.server.name, work, load, tuple(pings), self.ready_s, weight)

    def load(self, work: Work, seconds: int) -> Load:
        """Load the server with the bodies of one work in turn."""
        url = f"http://127.0.0.1:{self.place.port}{self.server.invocations}"
        return post(url, self.bodies(work), clients=work.clients, seconds=seconds)

    def bodies(self, work: Work) -> Path:
        """Write the requests of a work, one a line."""
        path = self.place.directory / f"{work.rows}.jsonl"
        if not path.exists():
            path.write_bytes(b"\n".join(map(self.server.dialect.encode, work.questions())))
        return path


@contextmanager
def visit(server: Server, trained: Trained, work: Work) -> Iterator[Visit]:
    """Ready is when the health check says so and the first prediction is right, whichever comes last."""
    place = prepare(server, trained)
    launch = server.launch(place)
    with ExitStack() as stack:
        started = time.perf_counter()
        process = stack.enter_context(running(launch.command, environment(launch, place), place.directory))
        while ping(place.port, server.ping) > START_TIMEOUT_S * 1000:
            if process.poll() is not None or time.perf_counter() - started > START_TIMEOUT_S:
                log = (place.directory / "server.log").read_text(errors="replace")
                raise ServerError(f"{server.name} did not start: {log[-600:]}")
            time.sleep(POLL_S)
        check(server, place.port, work, trained, bodies=1)
        yield Visit(server, place, process.pid, time.perf_counter() - started, trained)


def prepare(server: Server, trained: Trained) -> Place:
    """Make an empty directory for a server."""
    directory = trained.scratch / "run" / server.name
    model = trained.compiled_file if server.compiled else trained.file
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return Place(tool(server.environment, "python").parent, directory, model, free_ports())


def environment(launch: Launch, place: Place) -> dict[str, str]:
    """Nothing of the caller's environment but PATH and HOME: settings such as PYTHONDONTWRITEBYTECODE cost seconds."""
    return {"PATH": f"{place.bin}:{os.environ['PATH']}", "HOME": str(place.directory), **launch.variables}


def free_ports() -> tuple[int, int, int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3)]
        first, second, third = (each.getsockname()[1] for each in sockets)
        return first, second, third


def check(server: Server, port: int, work: Work, trained: Trained, bodies: int = CHECKED_BODIES) -> None:
    """Ask some of the bodies once, and compare with what the model predicts here."""
    questions = work.questions(bodies)
    for question, expected in zip(questions, trained.expected(work, len(questions)), strict=True):
        status, answer = ask(server, port, server.dialect.encode(question))
        if status != http.HTTPStatus.OK:
            raise ServerError(f"{server.name} answered {status}: {answer[:500]!r}")
        if not same(server.dialect.decode(answer), expected):
            raise ServerError(f"{server.name} answered other predictions than the model's: {answer[:500]!r}")


def same(given: NDArray[Any], expected: NDArray[Any]) -> bool:
    """Whether predictions are equal; those of a regression but for rounding."""
    if np.issubdtype(expected.dtype, np.floating):
        return given.shape == expected.shape and np.allclose(given, expected, rtol=TOLERANCE, atol=TOLERANCE)
    return np.array_equal(given, expected)


def ask(server: Server, port: int, body: bytes) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_TIMEOUT_S)
    try:
        connection.request("POST", server.invocations, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise ServerError(f"{server.name} did not answer: {error!r}") from error
    finally:
        connection.close()
