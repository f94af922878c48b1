"""A model's own `predict` without a server, on both cores at once: `python bare.py MODEL ROWS SECONDS ROWS...`.

Started once a core. Prints one line of JSON: requests a second with 16 requests in a call for each number of rows, and
the milliseconds of a call of one row.
"""

import json
import sys
from statistics import median
from time import perf_counter
from typing import Any

import joblib

REQUESTS = 16
"""Requests in a call."""
SINGLE_CALLS = 200
SINGLE_SECONDS = 0.5


def main(model: str, rows: str, seconds: str, *sizes: str) -> None:
    estimator = joblib.load(model)
    pool = joblib.load(rows)
    estimator.predict(pool[:1])
    print("ready", flush=True)
    rates = {}
    for size in sizes:
        sys.stdin.readline()
        rates[size] = rate(estimator, pool, int(size), float(seconds))
        print("done", flush=True)
    sys.stdin.readline()
    print(json.dumps({"rates": rates, "single_ms": single_ms(estimator, pool)}), flush=True)


def rate(estimator: Any, pool: Any, size: int, seconds: float) -> float:
    """Requests a second: each call takes other rows, as long as there are any."""
    rows = size * REQUESTS
    batches = [pool[start : start + rows] for start in range(0, len(pool) - rows + 1, rows)]
    calls = 0
    started = perf_counter()
    while (passed := perf_counter() - started) < seconds:
        estimator.predict(batches[calls % len(batches)])
        calls += 1
    return calls * REQUESTS / passed


def single_ms(estimator: Any, pool: Any) -> float:
    """Median of a call of one row."""
    times: list[float] = []
    while len(times) < SINGLE_CALLS and sum(times) < SINGLE_SECONDS:
        row = pool[len(times) % len(pool) :][:1]
        started = perf_counter()
        estimator.predict(row)
        times.append(perf_counter() - started)
    return median(times) * 1000


if __name__ == "__main__":
    main(*sys.argv[1:])
