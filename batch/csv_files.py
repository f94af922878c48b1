"""CSV files: read as pandas.read_csv reads them, and written with the predictions behind the columns."""

import csv
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from batch.columns import MISSING, Columns
from batch.csv_split import Record, cells_of, decoded, split
from batch.errors import BatchError, LineError
from batch.records import LARGEST_RECORD, Answers, Chunk, InPlace, Options, Position, Size

UTF_8_BOM = b"\xef\xbb\xbf"
UTF_16_BOMS = (b"\xff\xfe", b"\xfe\xff")
WORDS = tuple(word.encode() for word in sorted(MISSING, key=len, reverse=True))
WORD = re.compile(rb"(?<![^,\n])(?:" + b"|".join(map(re.escape, WORDS)) + rb")(?![^,\n])")
HEAD_BYTES = 1024 * 1024
"""The header lies within these."""


class CsvFile:
    """A CSV file as chunks of records."""

    accept = "text/csv"

    def __init__(self, path: Path, columns: Columns, options: Options) -> None:
        """Read the header; raises BatchError and LineError."""
        self.path = path
        self.size = Size()
        self.total = path.stat().st_size
        self._known = columns
        with path.open("rb") as file:
            header, position = _first_record(file)
        self.has_header = _has_header(header, columns, options)
        self.header = header.cells if self.has_header else []
        self.start = position if self.has_header else Position(_mark(path), 1)
        self.width = len(header.cells)
        self.kept = _kept(self.header, options)
        self._choose(header, options)

    def _choose(self, header: Record, options: Options) -> None:
        """Choose the cells that are sent: those of the model's columns."""
        names, self.chosen = self._known.names, tuple(range(self.width))
        if names and self.has_header:
            _check_names(header.cells, names)
            if options.positional or not self._known.takes_all(header.cells):
                self.chosen = tuple(header.cells.index(name) for name in names)
        elif self._known.width not in {None, self.width} and header.cells:
            raise BatchError(
                f"the model takes {self._known.width} columns, and {self.path} has {self.width}: give it those that it "
                "was trained with"
            )
        self.columns: Sequence[str] = [header.cells[index] for index in self.chosen] if self.has_header else []
        by_name = bool(names) and self.has_header and not options.positional
        self.content_type = f"text/csv; header={'present' if by_name else 'absent'}"
        self.prefix = csv_line(self.columns) + b"\n" if by_name else b""
        self._words = {
            place: MISSING - self._known.known_words(self.header[index] if self.header else "")
            for place, index in enumerate(self.chosen)
        }
        self._plain = self.chosen == tuple(range(self.width)) and not any(map(self._known.known_words, self.header))

    def chunks(self, position: Position) -> Generator[Chunk]:
        """Read records from a position on."""
        rest, offset, line = b"", position.offset, position.line
        with self.path.open("rb") as file:
            file.seek(offset)
            while True:
                read = file.read(self.size.value)
                data, end = rest + read, not read
                if end and not data:
                    return
                block = split(data, line, end=end)
                if len(data) - block.used > LARGEST_RECORD:
                    raise LineError(
                        f"{self.path}: the record in line {line} is larger than 16 MB: is a quote not closed?"
                    )
                rest, offset, line = data[block.used :], offset + block.used, line + block.used_lines
                if block.records or block.lines:
                    yield self._chunk(block.lines, block.records, block.numbers, Position(offset, line))

    def _chunk(self, lines: list[bytes], records: list[Record] | None, numbers: Sequence[int], end: Position) -> Chunk:
        if records is None and self._plain and self.kept is None:
            faults = _uneven(lines, self.width)
            return Chunk(_without_words(lines), lines, numbers, end, faults)
        if records is None:
            rows = [each.decode(errors="surrogateescape").split(",") for each in lines]
            texts: Sequence[bytes] = lines
        else:
            rows, texts = [record.cells for record in records], [record.text.encode() for record in records]
        faults = {index: _width_fault(self.width, len(row)) for index, row in enumerate(rows) if len(row) != self.width}
        sent = [b"" if index in faults else self._sent(row) for index, row in enumerate(rows)]
        kept = texts if self.kept is None else [self._keep(row) for row in rows]
        return Chunk(sent, kept, numbers, end, faults)

    def _sent(self, row: list[str]) -> bytes:
        cells = (row[index] for index in self.chosen)
        return csv_line(["" if cell in self._words[place] else cell for place, cell in enumerate(cells)])

    def _keep(self, row: list[str]) -> bytes:
        assert self.kept is not None
        return csv_line([row[index] if index < len(row) else "" for index in self.kept])


class CsvSink(InPlace):
    """Writes the columns of the input, or some of them, and the predictions."""

    def __init__(self, source: CsvFile, options: Options) -> None:
        self._source = source
        self._options = options
        self._begun = False
        self._counts = (1, 0)

    def begin(self, answers: Answers | None) -> bytes:
        """Return the header; what the model answers says how many columns there are."""
        if answers is not None and any(line is not None for line in answers.predictions):
            counts = (_cells(answers.predictions), _cells(answers.probabilities or ()))
            if self._begun and counts != self._counts:
                raise BatchError(
                    f"{self._source.path}: the answers have other columns than the header says, which was written when "
                    "no record had an answer: put a record that is right first"
                )
            self._counts = counts
        self._begun = True
        source, (predictions, probabilities) = self._source, self._counts
        names = source.header if source.kept is None else [source.header[index] for index in source.kept]
        added = _numbered("prediction", predictions) + [f"probability_{at}" for at in range(probabilities)]
        added += ["error"] if self._options.skip else []
        if taken := sorted(set(added).intersection(names)):
            raise BatchError(f"{source.path} has a column {taken[0]} already: leave it out with --only")
        return csv_line([*names, *added]) + b"\n" if source.has_header else b""

    def text(self, chunk: Chunk, answers: Answers) -> bytes:
        """Return the lines of a chunk."""
        parts: list[Sequence[bytes]] = [] if self._source.kept == () else [self._kept(chunk)]
        parts.append(_filled(answers.predictions, self._counts[0]))
        if answers.probabilities is not None:
            parts.append(_filled(answers.probabilities, self._counts[1]))
        if self._options.skip:
            count = len(chunk.lines)
            parts.append([csv_line([answers.errors[at]]) if at in answers.errors else b"" for at in range(count)])
        return b"\n".join([*map(b",".join, zip(*parts, strict=True)), b""])

    def _kept(self, chunk: Chunk) -> Sequence[bytes]:
        kept: Sequence[bytes] = chunk.kept
        if self._source.kept is not None or not chunk.faults:
            return kept
        return [_as_wide(each, self._source.width) if at in chunk.faults else each for at, each in enumerate(kept)]


def _first_record(file: BinaryIO) -> tuple[Record, Position]:
    """Read the first record that is not blank, and the position behind it."""
    data = file.read(HEAD_BYTES)
    if data.startswith(UTF_16_BOMS):
        raise LineError(f"{file.name} is UTF-16: save it as UTF-8")
    skipped = len(UTF_8_BOM) if data.startswith(UTF_8_BOM) else 0
    data = data[skipped:]
    lines = re.split(rb"(?<=\n)|(?<=\r)(?!\n)", data)
    offset = number = 0
    for count in range(1, len(lines) + 1):
        piece = b"".join(lines[number:count])
        block = split(piece, number + 1, end=count == len(lines))
        if block.records or block.lines:
            line = block.numbers[0]
            record = block.records[0] if block.records else Record(decoded(block.lines[0], line).split(","), "", line)
            return record, Position(skipped + offset + block.used, number + block.used_lines + 1)
        offset, number = offset + block.used, number + block.used_lines
    return Record([], "", 1), Position(skipped + offset, number + 1)


def _mark(path: Path) -> int:
    with path.open("rb") as file:
        return len(UTF_8_BOM) if file.read(3) == UTF_8_BOM else 0


def _has_header(first: Record, columns: Columns, options: Options) -> bool:
    """Whether the first record is a header: as said, else where it has a model's name or no number."""
    if options.header is not None or not first.cells:
        return options.header is not False and bool(first.cells)
    if set(columns.names).intersection(first.cells):
        return True
    if any(map(_is_number, first.cells)):
        raise BatchError("the first line may be a row: say --header where it names the columns, or --no-header")
    return True


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return not cell
    return True


def _check_names(header: list[str], names: tuple[str, ...]) -> None:
    if missing := [name for name in names if name not in header]:
        raise BatchError(
            f"the input lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}, which the model takes; "
            f"it has {', '.join(header)}"
        )
    if twice := [name for name in names if header.count(name) > 1]:
        raise BatchError(f"the column {twice[0]} stands twice in the header: nothing says which the model is to have")


def _kept(header: list[str], options: Options) -> tuple[int, ...] | None:
    if options.only is None:
        return None
    if missing := [name for name in options.only if name not in header]:
        raise BatchError(f"--only names {missing[0]}, which is no column of the input")
    return tuple(header.index(name) for name in options.only)


def _uneven(lines: Sequence[bytes], width: int) -> Mapping[int, str]:
    """The lines without quotes that have another number of cells than the first of the file."""
    counts = [line.count(b",") for line in lines]
    if counts.count(width - 1) == len(counts):
        return {}
    return {at: _width_fault(width, count + 1) for at, count in enumerate(counts) if count != width - 1}


def _width_fault(expected: int, got: int) -> str:
    return f"expected {expected} cells, got {got}"


def _without_words(lines: list[bytes]) -> list[bytes]:
    """Make the words for a missing cell empty cells."""
    text = b"\n".join(lines)
    return WORD.sub(b"", text).split(b"\n") if any(word in text for word in WORDS) else lines


def _as_wide(text: bytes, width: int) -> bytes:
    """Cut or fill a record to a number of cells: what is written is a table."""
    cells = cells_of(text.decode(errors="surrogateescape"))
    return csv_line([*cells[:width], *[""] * (width - len(cells))])


def _filled(lines: Sequence[bytes | None], width: int) -> Sequence[bytes]:
    """Give a record without an answer as many empty cells as the others have."""
    empty = b"," * (width - 1)
    return [empty if line is None else line for line in lines]


def _cells(lines: Sequence[bytes | None]) -> int:
    """How many columns an answer has."""
    first = next((line for line in lines if line is not None), None)
    if first is None:
        return 1 if lines else 0
    return max(1, len(cells_of(first.decode())))


def _numbered(name: str, count: int) -> list[str]:
    return [name] if count == 1 else [f"{name}_{at}" for at in range(count)]


def _writer() -> Callable[[Sequence[str]], bytes]:
    written: list[str] = []

    class _Line:
        def write(self, text: str) -> None:
            written.append(text)

    # Cells with one of the characters of a line's end are quoted.
    writer = csv.writer(_Line(), lineterminator="\r\n")

    def line(cells: Sequence[str]) -> bytes:
        written.clear()
        writer.writerow(cells)
        return written[0].removesuffix("\r\n").encode(errors="surrogateescape")

    return line


csv_line = _writer()
"""Writes cells as a line of CSV, without its end."""
