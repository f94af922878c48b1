"""One file of a batch: its chunks are asked about side by side, and written in order."""

import os
import time
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from batch.answering import Asked, Asking
from batch.journal import Done, Journal
from batch.records import Answers, Chunk, Item, Position, refuse
from batch.server import serving
from batch.state import State

COMMIT_SECONDS = 1.0
CORES = len(os.sched_getaffinity(0))
AHEAD = 2 * CORES
"""Chunks that are asked about or wait to be written: what the memory holds of the input."""


class OnThisMachine:
    """Serves the model on this machine, and asks it about every chunk."""

    def __init__(self, model: Path, python: Path, environ: Mapping[str, str]) -> None:
        self._model = model
        self._python = python
        self._environ = environ

    def predict(self, items: Sequence[Item], batch: State) -> None:
        """Write the target of each file."""
        with serving(self._python, self._model, self._environ) as container:
            for item in items:
                OneFile(item, batch, container).write()


class OneFile:
    """Reads a source, asks the container, and writes the target from where an earlier run left it."""

    def __init__(self, item: Item, batch: State, container: Asked) -> None:
        self._source, self._sink, self._target = item.source, item.sink, item.target
        self._batch = batch
        self._asking = Asking(item.source, container)

    def write(self) -> None:
        """Write the output; raises LineError for a refused record that shall not be skipped."""
        journal, progress = self._batch.journal, self._batch.progress
        name, start = self._source.path.name, self._source.start
        earlier = journal.done(name)
        done = earlier or Done(start.offset, start.line)
        progress.earlier += done.rows
        progress.add(done.offset, done.rows, done.errors)
        working = self._sink.working(self._target)
        if working != self._target and self._target.exists():
            return
        with working.open("r+b" if earlier else "wb") as output:
            output.truncate(done.size)
            output.seek(done.size)
            done = self._write(output, done)
            progress.add(self._source.total - done.offset, 0, 0)
            end = Position(self._source.total, done.line)
            _commit(output, journal, name, done.after(end, 0, 0, output.tell()))
        self._sink.finish(self._target)

    def _write(self, output: BinaryIO, done: Done) -> Done:
        """Write what is left; return how far the file is."""
        name, committed = self._source.path.name, time.monotonic()
        written = done.size > 0
        with closing(self._answered(done.position)) as answered:
            for chunk, answers in answered:
                refuse(self._source.path, chunk, answers, self._batch.options)
                header = self._sink.begin(answers)
                output.write(self._sink.text(chunk, answers) if written else header + self._sink.text(chunk, answers))
                written = True
                self._batch.progress.add(chunk.end.offset - done.offset, len(chunk.lines), len(answers.errors))
                done = done.after(chunk.end, len(chunk.lines), len(answers.errors), output.tell())
                if time.monotonic() - committed > COMMIT_SECONDS:
                    committed = _commit(output, self._batch.journal, name, done)
        if not written:
            output.write(self._sink.begin(None))
        return done

    def _answered(self, start: Position) -> Generator[tuple[Chunk, Answers]]:
        """Ask about as many chunks at once as there are cores; give them back in order."""
        waiting: deque[tuple[Chunk, Future[Answers]]] = deque()
        threads = ThreadPoolExecutor(CORES)
        try:
            with closing(self._source.chunks(start)) as chunks:
                for chunk in chunks:
                    waiting.append((chunk, threads.submit(self._ask, chunk)))
                    while len(waiting) > AHEAD or (waiting and waiting[0][1].done()):
                        first, future = waiting.popleft()
                        yield first, future.result()
                for first, future in waiting:
                    yield first, future.result()
        finally:
            # Who breaks off does not wait for what is asked: the container ends, and with it the answers.
            threads.shutdown(wait=False, cancel_futures=True)

    def _ask(self, chunk: Chunk) -> Answers:
        started = time.monotonic()
        answers = self._asking.answers(chunk, probabilities=self._batch.options.probabilities)
        self._source.size.adapt(time.monotonic() - started)
        return answers


def _commit(output: BinaryIO, journal: Journal, name: str, done: Done) -> float:
    """Have the output on the disk, then record it; return when."""
    output.flush()
    os.fsync(output.fileno())
    journal.write(name, done)
    return time.monotonic()
