"""Requests that arrive at a given rate whether or not the server keeps up: what overload is."""

import asyncio
import itertools
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

OK = 200
OVERLOADED = 503
END_OF_HEAD = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """Status 0 is a connection that failed."""

    status: int
    ms: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the requests of one run; latencies are of accepted requests, from their arrival."""

    offered_rps: float
    accepted_rps: float
    refused: int
    failed: int
    p50_ms: float
    p99_ms: float
    refusal_p99_ms: float


class Connection(asyncio.Protocol):
    """One kept connection with one request at a time on it."""

    transport: asyncio.WriteTransport

    def __init__(self) -> None:
        self.received = b""
        self.waiting: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        self.received += data
        if self.waiting and complete(self.received):
            self.waiting.set_result(int(self.received[9:12]))
            self.waiting = None

    def connection_lost(self, _error: Exception | None) -> None:
        if self.waiting:
            self.waiting.set_result(0)
            self.waiting = None

    async def ask(self, request: bytes) -> int:
        self.received = b""
        self.waiting = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self.waiting


def complete(answer: bytes) -> bool:
    """Whether head and body are there; every server here says the length of its body."""
    head, end, body = answer.partition(END_OF_HEAD)
    if not end:
        return False
    lengths = [line.partition(b":")[2] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return len(body) >= int(lengths[0])


def post(port: int, path: str, bodies: Path, *, rps: float, seconds: float) -> Outcome:
    """POST the file's lines at random moments, `rps` times a second on average (a Poisson process)."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    lines = bodies.read_bytes().splitlines()
    client = Client(port, [f"{head}Content-Length: {len(line)}\r\n\r\n".encode() + line for line in lines])
    asyncio.run(client.arrive(rps, seconds))
    return outcome(client.answers, seconds)


class Client:
    """Asks over an idle connection, or over a new one when all are waiting for their answers."""

    def __init__(self, port: int, requests: Sequence[bytes]) -> None:
        self.port = port
        self.requests = itertools.cycle(requests)
        self.idle: list[Connection] = []
        self.answers: list[Answer] = []

    async def arrive(self, rps: float, seconds: float) -> None:
        moments = random.Random(0)
        started = due = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            while (due := due + moments.expovariate(rps)) < started + seconds:
                await asyncio.sleep(due - time.perf_counter())
                group.create_task(self.exchange(due))
        for connection in self.idle:
            connection.transport.close()

    async def exchange(self, due: float) -> None:
        """Time counts from when the request was due, so that a late generator flatters nobody."""
        try:
            connection = self.idle.pop() if self.idle else await self.connect()
            status = await connection.ask(next(self.requests))
        except OSError:
            status = 0
        self.answers.append(Answer(status, (time.perf_counter() - due) * 1000))
        if status:
            self.idle.append(connection)

    async def connect(self) -> Connection:
        _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", self.port)
        return connection


def outcome(answers: Sequence[Answer], seconds: float) -> Outcome:
    accepted = [each.ms for each in answers if each.status == OK]
    refused = [each.ms for each in answers if each.status == OVERLOADED]
    return Outcome(
        offered_rps=len(answers) / seconds,
        accepted_rps=len(accepted) / seconds,
        refused=len(refused),
        failed=len(answers) - len(accepted) - len(refused),
        p50_ms=percentile(accepted, 50),
        p99_ms=percentile(accepted, 99),
        refusal_p99_ms=percentile(refused, 99),
    )


def percentile(values: Sequence[float], percent: float) -> float:
    return float(np.percentile(values, percent)) if values else np.nan
