"""Rounds: each server in turn with each model, and what was measured and what failed."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import ceilings
from benchmarks.errors import BenchmarkError
from benchmarks.measure import WARM_UP_S, Measurement, visit
from benchmarks.models import Trained
from benchmarks.servers import Server
from benchmarks.summary import BASELINE, COMPILED, PRODUCT
from benchmarks.work import FREE, Grid, Model, works

if TYPE_CHECKING:
    from benchmarks.ceilings import Bare


class Campaign:
    """A server that fails is left out, and said to have failed; the others go on."""

    def __init__(
        self, servers: Sequence[Server], models: Sequence[Model], grid: Grid, seconds: int, scratch: Path
    ) -> None:
        self.servers = servers
        self.measurements: list[Measurement] = []
        self.bare: dict[tuple[int, str], Bare] = {}
        """By round and model."""
        self.failures: dict[str, str] = {}
        self.load = 0.0
        """The machine's load average before the first round."""
        self._grid = grid
        self._seconds = seconds
        self._trained = {model: Trained(model, scratch) for model in models}
        if any(server.name == PRODUCT for server in servers):
            self._trained[FREE] = Trained(FREE, scratch)

    def prepare(self) -> None:
        """Train and compile what is not there yet."""
        for model, trained in self._trained.items():
            print(f"preparing {model.name}", file=sys.stderr)
            trained.make()
            if model.compiles and any(server.compiled for server in self.servers):
                self._attempt(f"compiled, {model.name}", trained.compile)

    def run(self, round_: int) -> None:
        """One round: a model's servers follow each other, so that each ratio is to a baseline of the same minute."""
        for model in self._trained:
            for server in self._servers(model):
                print(f"round {round_}: {server.name}, {model.name}", file=sys.stderr)
                self._attempt(f"{server.name}, {model.name}", lambda: self._measure(server, model, round_))  # noqa: B023
            if model is not FREE:
                self._attempt(f"bare, {model.name}", lambda: self._measure_bare(model, round_))  # noqa: B023

    def _servers(self, model: Model) -> list[Server]:
        if model is FREE:
            return [server for server in self.servers if server.name == PRODUCT]
        own = {BASELINE, PRODUCT, *([COMPILED] if model.compiles else [])}
        servers = [server for server in self.servers if server.name in own or (model.peers and server.name != COMPILED)]
        return [server for server in servers if not server.compiled or self._trained[model].compiled_file.exists()]

    def _attempt(self, name: str, step: Callable[[], object]) -> None:
        try:
            step()
        except BenchmarkError as error:
            print(f"{name}: {error}", file=sys.stderr)
            self.failures[name] = str(error)

    def _measure(self, server: Server, model: Model, round_: int) -> None:
        """Start the server once for all works of one model."""
        chosen = works(model, self._grid)
        with visit(server, self._trained[model], chosen[0]) as started:
            started.load(max(chosen, key=lambda work: (work.clients, -work.rows)), WARM_UP_S)
            for work in chosen:
                self.measurements.append(started.measure(work, round_, self._seconds))

    def _measure_bare(self, model: Model, round_: int) -> None:
        sizes = sorted({work.rows for work in works(model, self._grid)})
        self.bare[round_, model.name] = ceilings.measure(self._trained[model], sizes, self._seconds)
