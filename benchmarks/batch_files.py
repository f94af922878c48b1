"""`make bench-batch`: `model-api batch` on a CSV file of the credit table, beside the model's own predict on all cores.

ROWS=1000000 and MODELS=credit-logistic,credit-boosting say of what. Times include the start of each program; memory is
the most that its processes had of their own together. CPU is what counts on a machine that others use, too.
"""

import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any, Self

import joblib
import pandas as pd
import psutil

from benchmarks import data
from benchmarks.servers import ROOT
from benchmarks.work import named

PIECE = 100_000
CHUNK = 10_000
SAMPLE_SECONDS = 0.2
CORES = len(os.sched_getaffinity(0))
MIB = 1024 * 1024
_MODEL: list[Any] = []


@dataclass(frozen=True, slots=True)
class Run:
    """What a way took."""

    way: str
    rows: int
    seconds: float
    cpu: float
    memory: int

    def __str__(self) -> str:
        cpu, speed = 1e6 * self.cpu / self.rows, self.rows / self.seconds
        return f"| {self.way} | {speed:,.0f} | {cpu:.1f} | {self.memory / MIB:,.0f} |"


def main() -> int:
    rows = int(os.environ.get("ROWS") or 1_000_000)
    models = named((os.environ.get("MODELS") or "credit-logistic,credit-boosting").split(","))
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "in.csv"
        write(source, rows)
        for model in models:
            folder = Path(scratch) / model.name
            folder.mkdir()
            joblib.dump(model.train(), folder / "model.joblib")
            print(f"\n{model.title}, {rows:,} rows, {source.stat().st_size / MIB:,.0f} MB of CSV, {CORES} cores\n")
            print("| way | rows a second | CPU, microseconds a row | memory, MB |\n|---|---|---|---|")
            for run in measure(folder, source, rows):
                print(run, flush=True)
    return 0


def write(path: Path, rows: int) -> None:
    """Write pieces of the table one behind the other, a million different rows at most."""
    with path.open("w") as file:
        for start in range(0, rows, PIECE):
            table = data.credit(min(PIECE, rows - start), 1 + start // PIECE % 10)
            table.to_csv(file, index=False, header=start == 0)


def measure(folder: Path, source: Path, rows: int) -> Iterator[Run]:
    yield timed("predict of chunks in memory, all cores", rows, lambda: predict(folder, min(rows, 1_000_000)))
    yield timed("pandas: read_csv, predict, to_csv, all cores", rows, lambda: script(folder, source))
    yield timed("model-api batch", rows, lambda: batch(folder, source))


def timed(way: str, rows: int, work: Callable[[], int | None]) -> Run:
    """Run a way; it may say how many rows it did, and how long that took without what goes before."""
    before, started = _cpu(), time.monotonic()
    with Memory() as memory:
        done = work() or rows
    return Run(way, done, time.monotonic() - started, _cpu() - before, memory.peak)


def predict(folder: Path, rows: int) -> int:
    """Predict chunks of which every worker has its own: no row is read, sent or written."""
    with multiprocessing.get_context("fork").Pool(CORES, load, (folder,)) as pool:
        pool.map(predict_chunks, [rows // CHUNK // CORES] * CORES)
    return rows // CHUNK // CORES * CORES * CHUNK


def predict_chunks(count: int) -> None:
    chunk = data.credit(CHUNK, 1)
    for _ in range(count):
        _MODEL[0].predict(chunk)


def script(folder: Path, source: Path) -> None:
    """What one writes by hand: chunks of pandas through a pool, and the predictions beside the columns."""
    with (
        multiprocessing.get_context("fork").Pool(CORES, load, (folder,)) as pool,
        source.with_name("script.csv").open("w") as output,
        pd.read_csv(source, chunksize=CHUNK) as chunks,
    ):
        for number, text in enumerate(pool.imap(predict_table, chunks)):
            output.write(text if number == 0 else text.partition("\n")[2])


def predict_table(chunk: pd.DataFrame) -> str:
    return chunk.assign(prediction=_MODEL[0].predict(chunk)).to_csv(index=False)


def load(folder: Path) -> None:
    _MODEL[:] = [joblib.load(folder / "model.joblib")]


def batch(folder: Path, source: Path) -> None:
    output = source.with_name("out.csv")
    command = [sys.executable, "-m", "cli", "batch", str(folder), str(source), str(output), "--local", "--overwrite"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def _cpu() -> float:
    """Seconds of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


class Memory:
    """The most memory that the children of this process had together."""

    def __init__(self) -> None:
        self.peak = 0
        self._end = Event()
        self._thread = Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._end.wait(SAMPLE_SECONDS):
            self.peak = max(self.peak, sum(map(_proportional, psutil.Process().children(recursive=True))))


def _proportional(process: psutil.Process) -> int:
    """A process's memory, where what it shares counts in part."""
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0


if __name__ == "__main__":
    sys.exit(main())
