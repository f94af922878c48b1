"""The worker processes: started, watched and replaced.

    server ── starts ──> loader ── forks ──> worker, worker, ...
       └──────────────── a socket each ────────────┘

The loader loads the model once, and each worker is a fork of it, so that a worker costs little memory and is back
within milliseconds; where the model allows no fork, each worker loads it (fork_server.py). The loader hands a worker's
socket to the server over its control socket.
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

from predictor.errors import OverdueError
from predictor.ipc import FORK, FORKED, LOAD_FAILED, UNSEEN, Response
from predictor.logs import RateLimitedWarning, log
from predictor.server.batching import Batcher, Pending
from predictor.server.channel import Channel
from predictor.server.metrics import Metrics
from predictor.settings import MIB, Settings, available_memory

MAX_DEATHS = 10
"""Workers that die in a row without a request, and no answer between them, that end the server. A worker that dies over
a request does not count: another one answers the next request."""
OVERDUE_SECONDS = 1.0
"""A prediction is not ended sooner, however short the deadline: to start another worker may cost more."""
STUCK = "the model is slow, or waits for a thread, process or lock that is not there"
RETRY_SECONDS = 0.5
"""Until a process is asked for again that could not be had, because a file or a process could not be."""


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
        self._excused: set[int] = set()
        """Workers that died over a request."""
        self._ended: set[int] = set()
        """Workers that were killed from here."""
        self._wanted = settings.workers
        self._deaths = 0
        self._last_able = 0.0
        """When a worker was last lost that could predict."""
        self._warn = RateLimitedWarning()
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
        return max((now - channel.busy_since for channel in self._channels.values() if channel.batch), default=0.0)

    def expire(self, now: float) -> None:
        """Answer the requests that a worker has held until their deadline, and end what takes too long."""
        for channel in list(self._channels.values()):
            overdue = [pending for pending in channel.batch if pending.expires <= now]
            for pending in overdue:
                pending.settle(pending, OverdueError("The prediction took longer than the request's deadline."))
            if channel.ended:
                continue
            if overdue and len(overdue) == len(channel.batch) and now - channel.busy_since > OVERDUE_SECONDS:
                self._end_prediction(channel, now)
            elif not channel.ready and now - channel.born > self._settings.stuck_seconds:
                log.error(
                    f"worker {channel.pid} has neither loaded the model nor answered its sample row for "
                    f"{now - channel.born:.0f} s; {STUCK}; it is replaced"
                )
                channel.end()

    def _end_prediction(self, channel: Channel, now: float) -> None:
        fields = {"request_ids": [pending.request.request_id for pending in channel.batch]}
        log.error(
            f"a prediction was ended after {now - channel.busy_since:.1f} s, longer than its deadline; {STUCK}",
            extra={"fields": fields},
        )
        channel.end()

    def welcome(self, channel: Channel, memory: int) -> None:
        """Take a worker that can predict, and that has `memory` bytes of its own."""
        channel.ready = True
        if not self.ready.is_set():
            self._limit_workers(memory)
        self.ready.set()
        self._fill()
        self._batcher.join(channel)

    def _limit_workers(self, memory: int) -> None:
        """Want as many workers as the memory holds."""
        if memory <= 0:
            return
        holds = max(1, 1 + int(min(available_memory() / memory, self._wanted)))
        if holds < self._wanted:
            log.warning(
                f"the memory holds {holds} of {self._wanted} workers, each of which takes {memory // MIB} MB by itself"
            )
            self._wanted = holds

    def settle(self, channel: Channel, batch: Sequence[Pending], answers: Sequence[Response]) -> None:
        """Give answers to whom they belong, and the worker its next batch."""
        self._deaths = 0
        self._batcher.finish(channel, batch, answers, time.monotonic() - channel.busy_since)

    def lose(self, channel: Channel) -> None:
        """Replace a worker that is gone, and save what it held."""
        del self._channels[channel.pid]
        if self._stopping:
            return
        if channel.ready:
            self._last_able = time.monotonic()
        if channel.ended:
            self._ended.add(channel.pid)
        if channel.batch:
            self._excused.add(channel.pid)
        self._batcher.leave(channel, [pending for pending in channel.batch if not pending.exchange.reply])
        self._gone.append(channel.pid)
        self._fill()

    def _fill(self) -> None:
        """Ask the loader for the workers that are missing: for one alone until that can predict."""
        wanted = self._wanted if self.ready.is_set() else 1
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
            how = "was ended" if dead in self._ended else f"died {_reason(code)}"
            self._count_death(f"worker {dead} {how}", excused=dead in self._excused)
            self._excused.discard(dead)
            self._ended.discard(dead)
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
        elif code < 0 and not self.ready.is_set():
            log.critical(
                f"the process that loads the model died {_reason(code)}: most likely its file holds the bytecode of "
                "another Python than this one, as cloudpickle writes it, or a library in it is of another version"
            )
        if not self.ready.is_set():
            self._fail(code if code > 0 else 1)
            return
        self._count_death(f"the process that forks the workers died {_reason(code)}", excused=self.able > 0)
        if self.able:
            self._later(self._restart)
        else:
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

    def _count_death(self, what: str, *, excused: bool) -> None:
        if self._stopping:  # it is given up already, and nothing is replaced
            return
        self._metrics.worker_deaths += 1
        self._deaths += not excused
        log.error(f"{what}; it is replaced")
        if self._deaths >= MAX_DEATHS:
            log.critical(f"{self._deaths} workers died in a row without answering a request: giving up")
            self._fail(1)

    def _fail(self, code: int) -> None:
        self._stopping = True
        if not self.failed.done():
            self.failed.set_result(code)


def _reason(code: int) -> str:
    if code == UNSEEN:
        return "of an unknown cause"
    if code >= 0:
        return f"with exit code {code}"
    hint = ", for which a full memory is the usual reason" if code == -signal.SIGKILL else ""
    return f"with signal {-code} ({signal.strsignal(-code)}){hint}"
