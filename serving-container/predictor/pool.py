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
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from predictor.batcher import Batcher, Job
from predictor.frames import FORK, FORKED, LOAD_FAILED, UNSEEN, Answer, pack, take_answers
from predictor.settings import Settings
from predictor.telemetry import Metrics, Seldom, log

MAX_DEATHS = 10
"""Deaths in a row, without an answer from a worker that was started after them, that end the server."""
RETRY_SECONDS = 0.5
"""Until a process is asked for again that could not be had, because a file or a process could not be."""


class Channel(asyncio.Protocol):
    """The server's end of one worker."""

    def __init__(self, pool: "Pool", pid: int) -> None:
        self.pid = pid
        self.ready = False
        """Whether it has loaded the model, and takes batches."""
        self.batch_bytes = 0
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
        else:  # a worker's first frame says that it can predict, and how much at once
            self.batch_bytes = answers[0].rows
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
        self._asked: list[int] = []
        """For each worker that the loader was asked for and has not handed over, the one it stands in for, or 0."""
        self._gone: deque[int] = deque()
        """Workers that are no more, which the loader has to be told of."""
        self._unreached: set[int] = set()
        """Workers that ended since their socket could not be taken; no fault of theirs."""
        self._deaths = 0
        self._last_death = 0.0
        self._last_able = 0.0
        """When a worker was last lost that could predict."""
        self._warn = Seldom()
        self._stopping = False

    def start(self) -> None:
        """Start a loader and ask it for workers; raises OSError when no process or socket can be had."""
        self._control, far_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with far_end:
            loader = subprocess.Popen(  # noqa: S603  # our own program
                [sys.executable, "-m", "predictor", "load", str(far_end.fileno())],
                pass_fds=[far_end.fileno()],
                env=self._variables,
                start_new_session=True,  # a group to end at once, and out of reach of Ctrl-C, which the server handles
            )
        self._loaders.append(loader)
        self._control.setblocking(False)  # noqa: FBT003  # the standard library's signature
        asyncio.get_running_loop().add_reader(self._control, self._hear, self._control, loader)
        self._gone.extend(filter(None, self._asked))
        self._asked.clear()
        self._fill()

    def stop(self) -> None:
        """End every worker and loader at once; nothing they hold is waited for any more."""
        self._stopping = True
        for loader in self._loaders:
            with suppress(ProcessLookupError):
                os.killpg(loader.pid, signal.SIGKILL)
            loader.wait()

    @property
    def able(self) -> int:
        """Workers that can predict, or do so just now."""
        return sum(channel.ready for channel in self._channels.values())

    def unable_seconds(self, now: float) -> float:
        """How long no worker has been able to predict."""
        return 0.0 if self.able else now - self._last_able

    def busy_seconds(self, now: float) -> float:
        """How long the slowest batch has taken so far."""
        return max((now - channel.busy_since for channel in self._channels.values() if channel.jobs), default=0.0)

    def overdue(self, now: float) -> list[Job]:
        """Jobs that a worker has held until their deadline."""
        return [job for channel in self._channels.values() for job in channel.jobs if job.expires <= now]

    def welcome(self, channel: Channel) -> None:
        """Take a worker that can predict."""
        channel.ready = True
        self.ready.set()
        self._fill()
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
        if channel.ready:
            self._last_able = self._last_death
        self._batcher.leave(channel, channel.jobs)
        self._gone.append(channel.pid)
        self._fill()

    def _fill(self) -> None:
        """Ask the loader for the workers that are missing: for one alone until that can predict."""
        wanted = self._settings.workers if self.ready.is_set() else 1
        while not self._stopping and len(self._channels) + len(self._asked) < wanted:
            gone = self._gone[0] if self._gone else 0
            try:
                self._control.send(FORK.pack(gone))
            except OSError:  # the loader has questions enough, or has died: then the next is asked
                self._later(self._fill)
                return
            if gone:
                self._gone.popleft()
            self._asked.append(gone)

    def _later(self, attempt: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_later(RETRY_SECONDS, attempt)

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
        self._asked.remove(dead)
        if code == LOAD_FAILED:
            self._fail(LOAD_FAILED)
        elif dead in self._unreached:
            self._unreached.remove(dead)
        elif dead:
            self._count_death(f"worker {dead}", code)
        if fds:
            self._open(pid, socket.socket(fileno=fds[0]))
        else:
            self._miss(pid)

    def _open(self, pid: int, worker: socket.socket) -> None:
        channel = self._channels[pid] = Channel(self, pid)
        loop = asyncio.get_running_loop()
        channel.opening = loop.create_task(loop.connect_accepted_socket(lambda: channel, worker))

    def _miss(self, pid: int) -> None:
        """Ask again for a worker whose socket the kernel has closed on its way: this process may open no more.

        The worker finds its socket closed, and ends (unix(7), SCM_RIGHTS).
        """
        self._warn("a new worker cannot be reached: too many open files; trying again")
        self._unreached.add(pid)
        self._gone.append(pid)
        self._later(self._fill)

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
        self._restart()

    def _restart(self) -> None:
        if self._stopping:
            return
        try:
            self.start()
        except OSError as error:
            self._warn(f"the process that forks the workers cannot be started: {error.strerror}; trying again")
            self._control.close()
            self._later(self._restart)

    def _count_death(self, name: str, code: int) -> None:
        if self._stopping:  # it is given up already, and nothing is replaced
            return
        self._metrics.worker_deaths += 1
        self._deaths += 1
        log.error(f"{name} died {_reason(code)}; it is replaced")
        if self._deaths >= MAX_DEATHS:
            log.critical(f"{self._deaths} workers died in a row without answering a request: giving up")
            self._fail(1)

    def _fail(self, code: int) -> None:
        self._stopping = True
        if not self.failed.done():
            self.failed.set_result(code)


def _reason(code: int) -> str:
    if code == UNSEEN:
        return "of what nobody saw"
    if code >= 0:
        return f"with exit code {code}"
    hint = ", for which a full memory is the usual reason" if code == -signal.SIGKILL else ""
    return f"with signal {-code} ({signal.strsignal(-code)}){hint}"
