"""From measurements of several rounds to one line a server and work."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from benchmarks.measure import Measurement

BASELINE = "baseline"


@dataclass(frozen=True, slots=True)
class Summary:
    """Medians over rounds; of pings all rounds together. `ratio` is None where the baseline was not measured."""

    work: str
    server: str
    rps: float
    ratio: float | None
    spread: tuple[float, float] | None
    p50_ms: float
    p99_ms: float
    errors: int
    ready_s: float
    pss_mb: float
    ping_p99_ms: float
    ping_max_ms: float


def summarise(measurements: Sequence[Measurement]) -> list[Summary]:
    """Works and servers come in the order in which they were first measured."""
    groups: dict[tuple[str, str], list[Measurement]] = defaultdict(list)
    for each in measurements:
        groups[each.work, each.server].append(each)
    works = list(dict.fromkeys(work for work, _ in groups))
    return [
        summary(group, ratios(group, groups.get((work, BASELINE), [])))
        for work in works
        for (of, _), group in groups.items()
        if of == work
    ]


def ratios(group: Sequence[Measurement], baseline: Sequence[Measurement]) -> list[float]:
    """Throughput over that of the baseline in the same round."""
    base = {each.round: each.load.rps for each in baseline}
    return [each.load.rps / base[each.round] for each in group if base.get(each.round)]


def summary(group: Sequence[Measurement], ratios: Sequence[float]) -> Summary:
    pings = [ms for each in group for ms in each.pings_ms]
    return Summary(
        work=group[0].work,
        server=group[0].server,
        rps=median(each.load.rps for each in group),
        ratio=median(ratios) if ratios else None,
        spread=(min(ratios), max(ratios)) if ratios else None,
        p50_ms=median(each.load.p50_ms for each in group),
        p99_ms=median(each.load.p99_ms for each in group),
        errors=sum(each.load.errors for each in group),
        ready_s=median(each.ready_s for each in group),
        pss_mb=median(each.pss_mb for each in group),
        ping_p99_ms=percentile(pings, 99),
        ping_max_ms=max(pings, default=np.nan),
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """A value that was seen, never one in between: infinity is a value here, and cannot be averaged."""
    return float(np.percentile(values, percent, method="higher")) if values else np.nan
