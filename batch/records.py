"""What passes between the files and the model: records in pieces of a fitting size."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from batch.errors import LineError

PREDICT, LIKELY = "predict", "predict_proba"
START_BYTES = 128 * 1024
LARGEST_RECORD = 16 * 1024 * 1024
"""A record beyond this size is taken for a quote that is never closed."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the input between two records: where a batch that was killed goes on."""

    offset: int
    line: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive records: what the model gets of each, what the output keeps of it, and the line where it begins."""

    sent: Sequence[bytes]
    kept: Any
    lines: Sequence[int]
    end: Position
    faults: Mapping[int, str] = field(default_factory=dict)
    """Records that are wrong before the model sees them, by their index."""


@dataclass(slots=True)
class Size:
    """Bytes that are read at once. Their answer should take about a second: less wastes calls, more wastes memory."""

    value: int = START_BYTES
    least: int = 4 * 1024
    most: int = 512 * 1024
    quick: float = 0.25
    slow: float = 2.0

    def adapt(self, seconds: float) -> None:
        """Learn from how long an answer took."""
        if seconds < self.quick:
            self.value = min(2 * self.value, self.most)
        elif seconds > self.slow:
            self.value = max(self.value // 2, self.least)


@dataclass(frozen=True, slots=True)
class Options:
    """What the user chose of a batch."""

    skip: bool = False
    """Whether a refused record stays in the output, with its error."""
    only: tuple[str, ...] | None = None
    """The input's columns that the output keeps; None for all."""
    probabilities: bool = False
    header: bool | None = None
    """Whether a CSV file begins with a header; None where that shall be seen from it."""
    positional: bool = False
    """Whether the model gets the cells of CSV in the order of its training, without a header."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What the model said to a chunk: a line for each record, none where it has an error."""

    predictions: Sequence[bytes | None]
    probabilities: Sequence[bytes | None] | None
    errors: Mapping[int, str]


def refuse(path: Path, chunk: Chunk, answers: Answers, options: Options) -> None:
    """Raise LineError for the first record that is refused, where it shall not be skipped."""
    if answers.errors and not options.skip:
        at = min(answers.errors)
        raise LineError(
            f"{path}, line {chunk.lines[at]}: {answers.errors[at]}; "
            "with --on-error skip the others are predicted all the same"
        )


class Source(Protocol):
    """An input file that is read in chunks."""

    path: Path
    content_type: str
    accept: str
    size: Size
    columns: Sequence[str]
    """Names of the cells that the model gets, where the records do not hold them."""
    prefix: bytes
    """What a body begins with."""
    total: int
    """The offset behind the last record."""

    @property
    def start(self) -> Position:
        """The position of the first record."""

    def chunks(self, position: Position) -> Generator[Chunk]:
        """Read records from a position on; raises LineError where the file cannot be split into records."""


@dataclass(frozen=True, slots=True)
class Item:
    """A file of the batch: how it is read, how it is written, and where that goes."""

    source: "Source"
    sink: "Sink"
    target: Path


class InPlace:
    """A sink whose output can be written on after a kill: it is the target from the beginning."""

    def working(self, target: Path) -> Path:
        """Return the target itself."""
        return target

    def finish(self, _: Path) -> None:
        """Do nothing: the target is there."""


class Sink(Protocol):
    """Makes the output of chunks and their answers."""

    def begin(self, answers: Answers | None) -> bytes:
        """Return what stands before the records; without answers there are none."""

    def working(self, target: Path) -> Path:
        """Return the file that is written until the output is complete."""

    def finish(self, target: Path) -> None:
        """Make the target of what was written."""

    def text(self, chunk: Chunk, answers: Answers) -> bytes:
        """Return what a chunk adds to the output."""
