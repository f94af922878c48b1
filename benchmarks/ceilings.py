"""What no server can exceed without a shortcut: the model alone on both cores, and the container without a model.

A request costs its part of a prediction and its part of serving, so its ceiling is 1 / (1 / bare + 1 / free).
"""

import json
import os
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib

from benchmarks.errors import LoadError
from benchmarks.models import Trained
from benchmarks.servers import tool
from benchmarks.work import pool

CORES = 2
ENVIRONMENT = "container"
SCRIPT = Path(__file__).with_name("bare.py")


@dataclass(frozen=True, slots=True)
class Bare:
    """What a model's own `predict` does: requests a second by rows of a request, and milliseconds of one row."""

    model: str
    rates: dict[int, float]
    single_ms: float


def ceiling(bare: float, free: float) -> float:
    return 1 / (1 / bare + 1 / free)


def measure(trained: Trained, sizes: Sequence[int], seconds: float) -> Bare:
    rows = trained.rows_directory / f"pool-{max(sizes)}.joblib"
    if not rows.exists():
        joblib.dump(pool(trained.model, max(sizes)), rows)
    command = [str(tool(ENVIRONMENT, "python")), str(SCRIPT), str(trained.file), str(rows), str(seconds)]
    environment = {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    [*command, *map(str, sizes)],
                    env=environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(CORES)
        ]
        for process in processes:
            _hear(process)
        for _ in sizes:
            _go(processes)
            for process in processes:
                _hear(process)
        found = [_last(process) for process in processes]
    rates = {size: sum(each["rates"][str(size)] for each in found) for size in sizes}
    return Bare(trained.model.name, rates, found[0]["single_ms"])


def _go(processes: Sequence[subprocess.Popen[str]]) -> None:
    for process in processes:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()


def _hear(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    if not (line := process.stdout.readline()):
        raise LoadError(f"{SCRIPT.name} ended with {process.wait()}")
    return line


def _last(process: subprocess.Popen[str]) -> Any:
    """One after the other: a call of one row is timed while the other process does nothing."""
    _go([process])
    return json.loads(_hear(process))
