"""A batcher to try, and what stands for its workers and callers."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from predictor.errors import PredictorError
from predictor.ipc import Request, Response
from predictor.server.batching import Batcher, Pending
from predictor.server.metrics import Metrics
from predictor.settings import Settings

if TYPE_CHECKING:
    from predictor.http.exchange import Exchange


@dataclass(slots=True)
class Caller:
    """Stands for the exchange of a request: whether its client has gone is all that the batcher asks."""

    gone: bool = False


@dataclass(slots=True, eq=False)
class Recorder:
    """A worker that keeps what it is sent until it is told to finish."""

    batches: bool = True
    sent: list[Sequence[Pending]] = field(default_factory=list)

    def send(self, batch: Sequence[Pending]) -> None:
        self.sent.append(batch)

    @property
    def bodies(self) -> list[list[bytes]]:
        return [[pending.request.body for pending in batch] for batch in self.sent]


class Bench:
    """A batcher and what came out of it."""

    def __init__(self, **settings: object) -> None:
        self.outcomes: dict[bytes, Response | PredictorError] = {}
        variables = {f"SERVING_{name.upper()}": str(value) for name, value in settings.items()}
        self.batcher = Batcher(Settings.from_environ(variables), Metrics())

    def pending(self, body: bytes, *, expires_in: float = 60) -> Pending:
        request = Request(body, None, None, "")
        return Pending(request, cast("Exchange", Caller()), time.monotonic() + expires_in, self.settle)

    def settle(self, pending: Pending, outcome: Response | PredictorError) -> None:
        self.outcomes[pending.request.body] = outcome

    def submit(self, *bodies: bytes, **options: Any) -> list[Pending]:
        batch = [self.pending(body, **options) for body in bodies]
        for pending in batch:
            self.batcher.submit(pending)
        return batch


def run(*steps: Callable[[], object]) -> None:
    """Run steps, and what they schedule, in an event loop."""

    async def body() -> None:
        for step in steps:
            step()
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(body())


def finish(bench: Bench, worker: Recorder, seconds: float) -> None:
    batch = worker.sent[-1]
    bench.batcher.finish(worker, batch, [Response(200, "", b"")] * len(batch), seconds)
