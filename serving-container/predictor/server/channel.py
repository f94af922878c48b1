"""The server's end of one worker: sends it batches, takes its answers, and notices its end."""

import asyncio
import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from predictor.ipc import HELLO, Ready, Response, pack, take_frame
from predictor.logs import log
from predictor.server.batching import Pending


class Owner(Protocol):
    """Who hears of a worker: the pool."""

    def welcome(self, channel: "Channel", memory: int) -> None:
        """Take a worker that can predict, and that has `memory` bytes of its own."""

    def settle(self, channel: "Channel", batch: Sequence[Pending], answers: Sequence[Response]) -> None:
        """Take the answers to a batch."""

    def lose(self, channel: "Channel") -> None:
        """Let go of a worker that has ended."""


class Channel(asyncio.Protocol):
    """The server's end of one worker."""

    def __init__(self, owner: Owner, pid: int) -> None:
        self.pid = pid
        self.ready = False
        """Whether it has loaded the model, and takes batches."""
        self.batches = False
        self.batch: Sequence[Pending] = ()
        self.busy_since = 0.0
        self.born = time.monotonic()
        self.ended = False
        """Whether it is ended because its prediction takes too long."""
        self._number = HELLO
        self._owner = owner
        self.opening: asyncio.Task[object] | None = None
        """Connects the socket; kept here because the loop holds no reference to it."""
        self._buffer = bytearray()
        self._transport: asyncio.WriteTransport
        self._pidfd: int | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        self._pidfd = _watched(self.pid, transport)

    def send(self, batch: Sequence[Pending]) -> None:
        self.batch = batch
        self.busy_since = time.monotonic()
        self._number += 1
        self._transport.write(pack(self._number, [pending.request for pending in batch]))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        frame = take_frame(self._buffer)
        if frame is None:
            return
        number, items = frame
        if number != self._number:  # a process that the model's own code has forked may write as well
            log.error(f"worker {self.pid} answered another batch than the one that it was sent; it is replaced")
            self.end()
        elif number == HELLO:
            ready = Ready(*items[0])
            self.batches = ready.batches
            self._owner.welcome(self, ready.memory)
        else:
            batch, self.batch = self.batch, ()
            self._owner.settle(self, batch, [Response(*item) for item in items])

    def end(self) -> None:
        """Kill the worker; its end is noticed as any other."""
        self.ended = True
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def connection_lost(self, _error: Exception | None) -> None:
        if self._pidfd is not None:
            asyncio.get_running_loop().remove_reader(self._pidfd)
            os.close(self._pidfd)
        self._owner.lose(self)


def _watched(pid: int, transport: asyncio.WriteTransport) -> int | None:
    """Close the socket of a process when it ends: a process that its code has forked may hold the other end open."""
    try:
        pidfd = os.pidfd_open(pid)
    except (AttributeError, OSError):  # not Linux, or the process has ended, or there are files enough
        return None
    asyncio.get_running_loop().add_reader(pidfd, transport.abort)
    return pidfd
