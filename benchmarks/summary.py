"""From measurements of several rounds to one line a server and work."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from benchmarks.ceilings import Bare, ceiling
from benchmarks.measure import Measurement
from benchmarks.work import FREE

BASELINE = "baseline"
PRODUCT = "product"
COMPILED = "compiled"


@dataclass(frozen=True, slots=True)
class Figure:
    """A median over rounds, and the extremes."""

    median: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Summary:
    """One server under one work. Pings are those of all rounds together; None where one failed."""

    model: str
    rows: int
    clients: int
    server: str
    rps: Figure
    ratio: Figure | None
    """To the baseline of the same round; None where that was not measured."""
    of_ceiling: Figure | None
    """Part of the ceiling of the same round; None where that was not measured."""
    p50_ms: Figure
    p99_ms: float
    errors: int
    ready_s: float
    pss_mb: float
    ping_p99_ms: float | None
    ping_max_ms: float | None


@dataclass(frozen=True, slots=True)
class Single:
    """A model's own call of one row, in milliseconds."""

    model: str
    ms: Figure


Cell = tuple[str, int, int]
"""Model, rows, clients."""


def summarise(measurements: Sequence[Measurement], bare: Mapping[tuple[int, str], Bare]) -> list[Summary]:
    """Works and servers come in the order in which they were first measured; `bare` is by round and model."""
    groups: dict[tuple[Cell, str], list[Measurement]] = defaultdict(list)
    for each in measurements:
        groups[_cell(each), each.server].append(each)
    cells = list(dict.fromkeys(cell for cell, _ in groups))
    free = {(each.round, each.work.rows): each.load.rps for each in measurements if each.work.model is FREE}
    return [
        _summary(
            group,
            ratios(group, {each.round: each.load.rps for each in groups.get((cell, BASELINE), [])}),
            ratios(group, _ceilings(cell, bare, free)),
        )
        for cell in cells
        for (of, _), group in groups.items()
        if of == cell
    ]


def _cell(each: Measurement) -> Cell:
    return each.work.model.name, each.work.rows, each.work.clients


def _ceilings(
    cell: Cell, bare: Mapping[tuple[int, str], Bare], free: Mapping[tuple[int, int], float]
) -> dict[int, float]:
    """Requests a second that the models and the container allow, by round; none for the free model itself."""
    model, rows, _ = cell
    return {
        round_: ceiling(each.rates[rows], free[round_, rows])
        for (round_, of), each in bare.items()
        if of == model and rows in each.rates and (round_, rows) in free
    }


def ratios(group: Iterable[Measurement], others: Mapping[int, float]) -> list[float]:
    """Throughput over another figure of the same round."""
    return [each.load.rps / others[each.round] for each in group if others.get(each.round)]


def _summary(group: Sequence[Measurement], to_baseline: Sequence[float], to_ceiling: Sequence[float]) -> Summary:
    pings = [ms for each in group for ms in each.pings_ms]
    model, rows, clients = _cell(group[0])

    def middle(value: Callable[[Measurement], float]) -> float:
        return median(map(value, group))

    return Summary(
        model=model,
        rows=rows,
        clients=clients,
        server=group[0].server,
        rps=figure([each.load.rps for each in group]),
        ratio=figure(to_baseline) if to_baseline else None,
        of_ceiling=figure(to_ceiling) if to_ceiling else None,
        p50_ms=figure([each.load.p50_ms for each in group]),
        p99_ms=middle(lambda each: each.load.p99_ms),
        errors=sum(each.load.errors for each in group),
        ready_s=middle(lambda each: each.ready_s),
        pss_mb=middle(lambda each: each.pss_mb),
        ping_p99_ms=finite(percentile(pings, 99)),
        ping_max_ms=finite(max(pings, default=math.nan)),
    )


def singles(bare: Mapping[tuple[int, str], Bare]) -> list[Single]:
    times: dict[str, list[float]] = defaultdict(list)
    for (_, model), each in bare.items():
        times[model].append(each.single_ms)
    return [Single(model, figure(found)) for model, found in times.items()]


def figure(values: Sequence[float]) -> Figure:
    return Figure(median(values), min(values), max(values))


def percentile(values: Sequence[float], percent: float) -> float:
    """A value that was seen, never one in between: infinity is a value here, and cannot be averaged."""
    return float(np.percentile(values, percent, method="higher")) if values else math.nan


def finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
