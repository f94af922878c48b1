"""Counts of the server since its start, as Prometheus text at /metrics."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping

LATENCY_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
BATCH_REQUESTS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)


class Histogram:
    """Counts of observations by upper bound."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def samples(self, name: str) -> Iterator[str]:
        total = 0
        for bound, count in zip((*self._bounds, "+Inf"), self._counts, strict=True):
            total += count
            yield f'{name}_bucket{{le="{bound}"}} {total}'
        yield f"{name}_sum {self._sum}"
        yield f"{name}_count {total}"


class Metrics:
    """Counts since the server started; only the server's own thread changes them."""

    def __init__(self) -> None:
        self.requests: Counter[int] = Counter()
        self.latency = Histogram(LATENCY_SECONDS)
        self.batches = Histogram(BATCH_REQUESTS)
        self.predictions = 0
        self.worker_deaths = 0

    def render(self, gauges: Mapping[str, tuple[str, float]]) -> bytes:
        """Write the text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats).

        `gauges` are the values of this moment: name to help text and value.
        """
        lines = [*_head("serving_requests_total", "counter", "Answers to /invocations by status.")]
        lines += [f'serving_requests_total{{status="{code}"}} {n}' for code, n in sorted(self.requests.items())]
        for name, text, value in (
            ("serving_predictions_total", "Rows predicted.", self.predictions),
            ("serving_worker_deaths_total", "Workers that ended by themselves and were replaced.", self.worker_deaths),
        ):
            lines += [*_head(name, "counter", text), f"{name} {value}"]
        lines += _head("serving_latency_seconds", "histogram", "From a request's last byte to its answer.")
        lines += self.latency.samples("serving_latency_seconds")
        lines += _head("serving_batch_requests", "histogram", "Requests predicted at once.")
        lines += self.batches.samples("serving_batch_requests")
        for name, (text, number) in gauges.items():
            lines += [*_head(name, "gauge", text), f"{name} {number}"]
        return ("\n".join(lines) + "\n").encode()


def _head(name: str, kind: str, text: str) -> list[str]:
    return [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
