"""The worker processes: started, watched and replaced.

    server ── starts ──> loader ── forks ──> worker, worker, ...
       └──────────────── a socket each ────────────┘

The loader imports the packages and loads the model once; each worker is a fork of it, so that a worker costs little
memory and is back within milliseconds. The loader hands a worker's socket to the server over its control socket.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from predictor.batcher import Batcher, Job
from predictor.frames import FORK, FORKED, LOAD_FAILED, Answer, pack, take_answers
from predictor.settings import Settings
from predictor.telemetry import Metrics, log

MAX_DEATHS = 10
"""Deaths in a row, without an answer from a worker that was started after them, that end the server."""


class Channel(asyncio.Protocol):
    """The server's end of one worker."""

    def __init__(self, pool: "Pool", pid: int) -> None:
        self.pid = pid
        self.batches = False
        self.jobs: Sequence[Job] = ()
        self.busy_since = 0.0
        self.born = time.monotonic()
        self._pool = pool
        self.opening: asyncio.Task[object] | None = None
        """Connects the socket; kept here because the loop holds no reference to it."""
        self._buffer = bytearray()
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def send(self, jobs: Sequence[Job]) -> None:
        self.jobs = jobs
        self.busy_since = time.monotonic()
        self._transport.write(pack([job.task for job in jobs]))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        answers = take_answers(self._buffer)
        if answers is None:
            return
        jobs, self.jobs = self.jobs, ()
        if jobs:
            self._pool.settle(self, jobs, answers)
        else:  # a worker's first frame says that it can predict, and whether it takes batches
            self.batches = bool(answers[0].rows)
            self._pool.welcome(self)

    def connection_lost(self, _error: Exception | None) -> None:
        self._pool.lose(self)


class Pool:
    """Keeps as many workers as are wanted."""

    def __init__(self, settings: Settings, variables: Mapping[str, str], batcher: Batcher, metrics: Metrics) -> None:
        self.ready = asyncio.Event()
        """Set once the first worker can predict."""
        self.failed: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        """Done, with an exit code, when there is no going on."""
        self._settings = settings
        self._variables = variables
        self._batcher = batcher
        self._metrics = metrics
        self._channels: dict[int, Channel] = {}
        self._loaders: list[subprocess.Popen[bytes]] = []
        self._control: socket.socket
        self._deaths = 0
        self._last_death = 0.0
        self._stopping = False

    def start(self) -> None:
        """Start a loader and ask it for the first worker; the others are asked for when that one can predict."""
        self._control, far_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with far_end:
            loader = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "predictor", "load", str(far_end.fileno())],
                pass_fds=[far_end.fileno()],
                env=self._variables,
                start_new_session=True,  # a group to end at once, and out of reach of Ctrl-C, which the server handles
            )
        self._loaders.append(loader)
        self._control.setblocking(False)  # noqa: FBT003
        asyncio.get_running_loop().add_reader(self._control, self._hear, self._control, loader)
        for _ in range(self._settings.workers - len(self._channels) if self.ready.is_set() else 1):
            self._ask(instead_of=0)

    def stop(self) -> None:
        """End every worker and loader at once; nothing they hold is waited for any more."""
        self._stopping = True
        for loader in self._loaders:
            with suppress(ProcessLookupError):
                os.killpg(loader.pid, signal.SIGKILL)
            loader.wait()

    @property
    def alive(self) -> int:
        """Workers that have not died."""
        return len(self._channels)

    def busy_seconds(self, now: float) -> float:
        """How long the slowest batch has taken so far."""
        return max((now - channel.busy_since for channel in self._channels.values() if channel.jobs), default=0.0)

    def overdue(self, now: float) -> list[Job]:
        """Jobs that a worker has held until their deadline."""
        return [job for channel in self._channels.values() for job in channel.jobs if job.expires <= now]

    def welcome(self, channel: Channel) -> None:
        """Take a worker that can predict."""
        if not self.ready.is_set():
            self.ready.set()
            for _ in range(self._settings.workers - 1):
                self._ask(instead_of=0)
        self._batcher.join(channel)

    def settle(self, channel: Channel, jobs: Sequence[Job], answers: Sequence[Answer]) -> None:
        """Give answers to whom they belong, and the worker its next batch."""
        if channel.born > self._last_death:
            self._deaths = 0
        self._batcher.finish(channel, jobs, answers, time.monotonic() - channel.busy_since)

    def lose(self, channel: Channel) -> None:
        """Replace a worker that is gone, and save what it held."""
        del self._channels[channel.pid]
        if self._stopping:
            return
        self._last_death = time.monotonic()
        self._batcher.leave(channel, channel.jobs)
        self._ask(instead_of=channel.pid)

    def _ask(self, *, instead_of: int) -> None:
        with suppress(OSError):  # the loader has died; the next is asked for all that are missing
            self._control.send(FORK.pack(instead_of))

    def _hear(self, control: socket.socket, loader: subprocess.Popen[bytes]) -> None:
        try:
            message, fds, _, _ = socket.recv_fds(control, FORKED.size, 1)
        except ConnectionError:  # the loader ended with questions unread
            message, fds = b"", []
        if not message:
            asyncio.get_running_loop().remove_reader(control)
            control.close()
            self._lose_loader(loader.wait())
            return
        pid, dead, code = FORKED.unpack(message)
        if code == LOAD_FAILED:
            self._fail(LOAD_FAILED)
        elif dead:
            self._count_death(f"worker {dead}", code)
        channel = self._channels[pid] = Channel(self, pid)
        loop = asyncio.get_running_loop()
        channel.opening = loop.create_task(loop.connect_accepted_socket(lambda: channel, socket.socket(fileno=fds[0])))

    def _lose_loader(self, code: int) -> None:
        if self._stopping:
            return
        if code == -signal.SIGKILL and not self.ready.is_set():
            log.critical("the process that loads the model was killed: most likely the memory does not hold the model")
        if not self.ready.is_set():
            self._fail(code if code > 0 else 1)
            return
        self._last_death = time.monotonic()
        self._count_death("the process that forks the workers", code)
        self.start()

    def _count_death(self, name: str, code: int) -> None:
        self._metrics.worker_deaths += 1
        self._deaths += 1
        log.error(f"{name} died with {_reason(code)}; it is replaced")
        if self._deaths >= MAX_DEATHS:
            log.critical(f"{self._deaths} workers died in a row without answering a request: giving up")
            self._fail(1)

    def _fail(self, code: int) -> None:
        self._stopping = True
        if not self.failed.done():
            self.failed.set_result(code)


def _reason(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    hint = ", for which a full memory is the usual reason" if code == -signal.SIGKILL else ""
    return f"signal {-code} ({signal.strsignal(-code)}){hint}"
