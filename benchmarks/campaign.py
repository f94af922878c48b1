"""Rounds: each server in turn with each model, and what was measured and what failed."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.errors import BenchmarkError
from benchmarks.measure import Measurement, visit
from benchmarks.models import bare_predict_ms
from benchmarks.servers import Server
from benchmarks.work import MODELS, WORKS

SINGLE = WORKS[0]


class Campaign:
    """A server that fails is left out, and said to have failed; the others go on."""

    def __init__(self, servers: Sequence[Server], seconds: float, models: Mapping[tuple[str, bool], Path]) -> None:
        self.servers = servers
        self.measurements: list[Measurement] = []
        self.failures: dict[str, str] = {}
        self.bare_ms: list[float] = []
        self._seconds = seconds
        self._models = models

    def run(self, round_: int) -> None:
        """One round: the baseline first, so that each ratio is to a baseline of the same minutes."""
        self.bare_ms.append(bare_predict_ms(SINGLE.model))
        for model in MODELS:
            for server in self.servers:
                print(f"round {round_}: {server.name}, {model}", file=sys.stderr)
                try:
                    self._measure(server, model, round_)
                except BenchmarkError as error:
                    self.failures[f"{server.name}, {model}, round {round_}"] = str(error)

    def _measure(self, server: Server, model: str, round_: int) -> None:
        """Start the server once for all works of one model."""
        works = [work for work in WORKS if work.model == model]
        with visit(server, self._models[model, server.compiled], works[0]) as started:
            for work in works:
                self.measurements.append(started.measure(work, round_, self._seconds))
