"""One visit to one server: start it, check its answers, load it with each work, stop it."""

import http.client
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.errors import ServerError
from benchmarks.load import Load, post
from benchmarks.pinger import ping, pinging
from benchmarks.processes import pss_mb, running
from benchmarks.servers import ROOT, Launch, Place, Server
from benchmarks.work import Work

START_TIMEOUT_S = 90.0
POLL_S = 0.02
WARM_UP_S = 1


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one round found of one server under one work; a ping that failed is infinitely long."""

    round: int
    server: str
    work: str
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

    def measure(self, work: Work, round_: int, seconds: float) -> Measurement:
        self.load(work, WARM_UP_S)
        with pinging(self.place.port, self.server.ping) as pings:
            load = self.load(work, seconds)
            weight = pss_mb(self.pid)
        return Measurement(round_, self.server.name, work.name, load, tuple(pings), self.ready_s, weight)

    def load(self, work: Work, seconds: float) -> Load:
        """Load the server with one work, once its answer to that has been right."""
        check(self.server, self.place.port, work)
        self.bodies.write_bytes(b"\n".join(map(self.server.dialect.encode, work.questions())))
        url = f"http://127.0.0.1:{self.place.port}{self.server.invocations}"
        return post(url, self.bodies, clients=work.clients, seconds=seconds)

    @property
    def bodies(self) -> Path:
        """The requests of the last work, one a line."""
        return self.place.directory / "bodies.jsonl"


@contextmanager
def visit(server: Server, model: Path, work: Work) -> Iterator[Visit]:
    """Ready is when the health check says so and the first prediction is right, whichever comes last."""
    place = prepare(server, model)
    launch = server.launch(place)
    with ExitStack() as stack:
        started = time.perf_counter()
        process = stack.enter_context(running(launch.command, environment(launch, place), place.directory))
        while ping(place.port, server.ping) > START_TIMEOUT_S * 1000:
            if process.poll() is not None or time.perf_counter() - started > START_TIMEOUT_S:
                raise ServerError(f"{server.name} did not start: see {place.directory}/server.log")
            time.sleep(POLL_S)
        check(server, place.port, replace(work, rows=1))
        yield Visit(server, place, process.pid, time.perf_counter() - started)


def prepare(server: Server, model: Path) -> Place:
    """Make an empty directory beside `models/`, in which models.py has put the model."""
    scratch = model.parents[2]
    directory = scratch / "run" / server.name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return Place(ROOT / ".tools" / f"bench-{server.environment}" / "bin", directory, model, free_ports())


def environment(launch: Launch, place: Place) -> dict[str, str]:
    """Nothing of the caller's environment but PATH and HOME: settings such as PYTHONDONTWRITEBYTECODE cost seconds."""
    return {"PATH": f"{place.bin}:{os.environ['PATH']}", "HOME": str(place.directory), **launch.variables}


def free_ports() -> tuple[int, int, int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3)]
        first, second, third = (each.getsockname()[1] for each in sockets)
        return first, second, third


def check(server: Server, port: int, work: Work) -> None:
    """Ask each question once, and compare with what the model predicts here."""
    if not server.predicts:
        return
    for questions, expected in zip(work.questions(), work.answers(), strict=True):
        status, body = ask(server, port, server.dialect.encode(questions))
        if status != http.HTTPStatus.OK:
            raise ServerError(f"{server.name} answered {status}: {body[:500]!r}")
        if not np.array_equal(server.dialect.decode(body), expected):
            raise ServerError(f"{server.name} answered other predictions than the model's: {body[:500]!r}")


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
