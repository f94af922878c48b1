"""One file of a batch: its chunks are asked about side by side, and written in order."""

import os
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from batch.answering import Asked, Asking
from batch.errors import LineError
from batch.journal import Done, Journal
from batch.progress import Progress
from batch.records import Answers, Chunk, Options, Position, Sink, Source

COMMIT_SECONDS = 1.0
CORES = len(os.sched_getaffinity(0))
AHEAD = 2 * CORES
"""Chunks that are asked about or wait to be written: what the memory holds of the input."""


class OneFile:
    """Reads a source, asks the container, and writes the target from where an earlier run left it."""

    def __init__(self, source: Source, sink: Sink, options: Options, container: Asked) -> None:
        self._source = source
        self._sink = sink
        self._options = options
        self._asking = Asking(source, container)

    def write(self, target: Path, journal: Journal, progress: Progress) -> None:
        """Write the output; raises LineError for a refused record that shall not be skipped."""
        name, start = self._source.path.name, self._source.start
        earlier = journal.done(name)
        done = earlier or Done(start.offset, start.line)
        progress.earlier += done.rows
        progress.add(done.offset, done.rows, done.errors)
        with target.open("r+b" if earlier else "wb") as output:
            output.truncate(done.size)
            output.seek(done.size)
            written, committed = done.size > 0, time.monotonic()
            for chunk, answers in self._answered(done.position):
                self._check(chunk, answers)
                header = self._sink.begin(answers)
                output.write(self._sink.text(chunk, answers) if written else header + self._sink.text(chunk, answers))
                written = True
                progress.add(chunk.end.offset - done.offset, len(chunk.lines), len(answers.errors))
                done = done.after(chunk.end, len(chunk.lines), len(answers.errors), output.tell())
                if time.monotonic() - committed > COMMIT_SECONDS:
                    committed = _commit(output, journal, name, done)
            if not written:
                output.write(self._sink.begin(None))
            size = self._source.path.stat().st_size
            progress.add(size - done.offset, 0, 0)
            _commit(output, journal, name, done.after(Position(size, done.line), 0, 0, output.tell()))

    def _answered(self, start: Position) -> Iterator[tuple[Chunk, Answers]]:
        """Ask about as many chunks at once as there are cores; give them back in order."""
        waiting: deque[tuple[Chunk, Future[Answers]]] = deque()
        with ThreadPoolExecutor(CORES) as threads, closing(self._source.chunks(start)) as chunks:
            try:
                for chunk in chunks:
                    waiting.append((chunk, threads.submit(self._ask, chunk)))
                    while len(waiting) > AHEAD or (waiting and waiting[0][1].done()):
                        first, future = waiting.popleft()
                        yield first, future.result()
                for first, future in waiting:
                    yield first, future.result()
            finally:
                threads.shutdown(wait=False, cancel_futures=True)

    def _ask(self, chunk: Chunk) -> Answers:
        started = time.monotonic()
        answers = self._asking.answers(chunk, probabilities=self._options.probabilities)
        self._source.size.adapt(time.monotonic() - started)
        return answers

    def _check(self, chunk: Chunk, answers: Answers) -> None:
        if answers.errors and not self._options.skip:
            at = min(answers.errors)
            raise LineError(
                f"{self._source.path}, line {chunk.lines[at]}: {answers.errors[at]}; "
                "with --on-error skip the others are predicted all the same"
            )


def _commit(output: BinaryIO, journal: Journal, name: str, done: Done) -> float:
    """Have the output on the disk, then record it; return when."""
    output.flush()
    os.fsync(output.fileno())
    journal.write(name, done)
    return time.monotonic()
