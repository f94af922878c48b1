"""Requests wait here for a worker; those that wait together are predicted as one batch.

A worker takes its fair share of all requests that wait or are being predicted. When fewer wait, an idle worker waits
for its share, for a few milliseconds at most: the clients of the batch that was just answered are about to ask again.
Without this it would take the first of them alone, and another worker would have to take all the rest.
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
WAIT_PART = 0.5
"""An idle worker waits for its share for this part of what a batch usually takes, and at least QUICK_SECONDS."""
MAX_WAIT_SECONDS = 0.005
"""The longest wait for a share."""

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
        self._busy: dict[Worker, tuple[int, float]] = {}
        """Those that predict: how many requests, and when at the latest they usually have."""
        self._seconds = QUICK_SECONDS
        """What a batch takes, as a moving average."""
        self._scheduled = False
        self._awaited = 0
        """Requests in the queue for which an idle worker waits; 0 when none does."""
        self._timer: asyncio.TimerHandle | None = None
        """Ends that."""

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
        if len(self._queue) >= self._awaited or self._full:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._dispatch)

    def _dispatch(self, *, waited: bool = False) -> None:
        """Give each idle worker its share, or let it wait for that; when it has `waited` it takes what there is."""
        self._scheduled = False
        while self._idle and self._queue:
            now = time.monotonic()
            workers = 1 if self._seconds < QUICK_SECONDS else len(self._idle) + len(self._busy)
            share = (len(self._queue) + sum(size for size, due in self._busy.values() if now < due)) / workers
            if len(self._queue) < int(share) and not (waited or self._full or self._queue[0].deaths):
                self._wait(int(share))
                return
            self._wait_no_more()
            worker = self._idle[-1]
            if batch := self._take(math.ceil(share) if worker.batches else 1):
                self._idle.pop()
                self._busy[worker] = (len(batch), now + 2 * max(self._seconds, QUICK_SECONDS))
                worker.send(batch)

    def _wait(self, share: int) -> None:
        self._awaited = share
        if not self._timer:
            seconds = min(max(WAIT_PART * self._seconds, QUICK_SECONDS), MAX_WAIT_SECONDS)
            self._timer = asyncio.get_running_loop().call_later(seconds, self._end_wait)

    def _end_wait(self) -> None:
        self._timer = None
        self._dispatch(waited=True)

    def _wait_no_more(self) -> None:
        self._awaited = 0
        if self._timer:
            self._timer.cancel()
            self._timer = None

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
