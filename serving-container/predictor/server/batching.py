"""Requests wait here for a worker; what has queued while the workers were busy is predicted as one batch.

A request that finds a worker idle is sent on at once, unless another worker will be back so soon that it is not worth
a batch of its own.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from predictor.errors import DeadlineError, PredictionError, PredictorError, QueueFullError
from predictor.http.exchange import Exchange
from predictor.ipc import Request, Response
from predictor.logs import log
from predictor.server.metrics import Metrics
from predictor.settings import Settings

QUICK_SECONDS = 0.002
"""A batch that takes less is not worth a second worker: a larger one on the first costs less than two smaller ones."""

MAX_DEATHS = 3
"""Workers that a request may cost; one or two may have died of something else just then."""


@dataclass(slots=True)
class Pending:
    """A request that waits for its prediction: the one type that knows its deadline and where the answer goes."""

    request: Request
    exchange: Exchange
    expires: float
    """On the clock of time.monotonic()."""
    settle: Callable[["Pending", Response | PredictorError], None]
    """Takes the outcome; later ones are dropped."""
    deaths: int = 0
    """Workers that have died over it. It then goes alone, so that it cannot take others with it again."""


class Worker(Protocol):
    """What predicts batches, one at a time."""

    batches: bool
    """Whether it may predict several requests together."""

    def send(self, batch: Sequence[Pending]) -> None:
        """Predict a batch; the worker tells the batcher when it is done."""


class Batcher:
    """The queue, and the workers that are idle."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._queue: deque[Pending] = deque()
        self._bytes = 0
        self._idle: list[Worker] = []  # the last was busy last, and has its caches warm
        self._busy: dict[Worker, float] = {}
        """Those that predict, and since when."""
        self._seconds = QUICK_SECONDS
        """What a batch takes, as a moving average."""
        self._scheduled = False
        self._holding = False
        """Whether what waits is held for a busy worker."""
        self._timer: asyncio.TimerHandle | None = None
        """Ends that; there is one at a time, for when it is too early it starts again."""

    @property
    def waiting(self) -> int:
        """Requests in the queue."""
        return len(self._queue)

    def submit(self, pending: Pending) -> None:
        """Queue a request; raises QueueFullError, or DeadlineError when its time is over already."""
        settings = self._settings
        if pending.expires <= time.monotonic():
            raise DeadlineError("The deadline had passed when the request arrived.")
        if len(self._queue) >= settings.max_queue_requests or self._bytes >= settings.max_queue_bytes:
            raise QueueFullError(f"{len(self._queue)} requests are waiting already.")
        self._queue.append(pending)
        self._bytes += len(pending.request.body)
        self._schedule()

    def join(self, worker: Worker) -> None:
        """Take a worker that waits for work."""
        self._idle.append(worker)
        self._dispatch()

    def leave(self, worker: Worker, batch: Sequence[Pending]) -> None:
        """Let a worker go that has died over `batch`, and give each another chance, alone."""
        if worker in self._idle:
            self._idle.remove(worker)
        self._busy.pop(worker, None)
        for pending in reversed(batch):
            pending.deaths += 1
            if pending.deaths == MAX_DEATHS:
                pending.settle(pending, PredictionError("The process that predicts died over this request."))
            else:
                self._queue.appendleft(pending)
                self._bytes += len(pending.request.body)
        self._schedule()

    def finish(self, worker: Worker, batch: Sequence[Pending], answers: Sequence[Response], seconds: float) -> None:
        """Give the worker its next batch, and each caller its answer."""
        self._busy.pop(worker, None)
        self._seconds += (seconds - self._seconds) / 16
        self.join(worker)
        self._metrics.batches.observe(len(batch))
        for pending, answer in zip(batch, answers, strict=True):
            pending.settle(pending, answer)

    def expire(self, now: float) -> None:
        """Drop what nobody waits for, or not any longer: no worker may come to ask for it."""
        waiting, self._queue = self._queue, deque()
        over: list[Pending] = []
        for pending in waiting:
            (over if pending.exchange.gone or pending.expires <= now else self._queue).append(pending)
        for pending in over:
            self._bytes -= len(pending.request.body)
            self._drop(pending)

    def _schedule(self) -> None:
        """Dispatch once all that arrived together is queued."""
        if self._scheduled or not (self._idle and self._queue):
            return
        if not self._holding or self._full:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._dispatch)

    def _dispatch(self) -> None:
        self._scheduled = self._holding = False
        while self._idle and self._queue:
            if self._holds():
                break
            share = len(self._queue) if self._quick else math.ceil(len(self._queue) / len(self._idle))
            if batch := self._take(share if self._idle[-1].batches else 1):
                worker = self._idle.pop()
                self._busy[worker] = time.monotonic()
                worker.send(batch)

    @property
    def _quick(self) -> bool:
        return self._seconds < QUICK_SECONDS

    def _holds(self) -> bool:
        """Whether to wait for the busy worker, which is quick, rather than call on an idle one; never for long."""
        left = max(self._busy.values(), default=-math.inf) + QUICK_SECONDS - time.monotonic()
        if left <= 0 or not self._quick or self._full:
            return False
        self._holding = True
        if not self._timer:
            self._timer = asyncio.get_running_loop().call_later(left, self._wake)
        return True

    def _wake(self) -> None:
        self._timer = None
        self._dispatch()

    @property
    def _full(self) -> bool:
        """Whether what waits fills a batch, so that no waiting makes it larger."""
        settings = self._settings
        return len(self._queue) >= settings.max_batch_requests or self._bytes >= settings.max_batch_bytes

    def _take(self, share: int) -> list[Pending]:
        """Requests from the head of the queue whose client still waits, at most `share`."""
        batch: list[Pending] = []
        size = 0
        now = time.monotonic()
        while self._queue and len(batch) < min(share, self._settings.max_batch_requests):
            if batch and (self._queue[0].deaths or size >= self._settings.max_batch_bytes):
                break
            pending = self._queue.popleft()
            self._bytes -= len(pending.request.body)
            if pending.exchange.gone or pending.expires <= now:
                self._drop(pending)
                continue
            batch.append(pending)
            size += len(pending.request.body)
            if pending.deaths:
                break
        return batch

    def _drop(self, pending: Pending) -> None:
        if pending.exchange.gone:
            log.debug("the client hung up", extra={"fields": {"request_id": pending.request.request_id}})
        else:
            pending.settle(pending, DeadlineError("The deadline passed while the request waited."))
