"""CSV bytes to records: where each begins and ends, whatever its quotes, line ends and blanks."""

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from batch.errors import LineError
from batch.records import LARGEST_RECORD

SENTINEL = "x"


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a text with quotes: its cells, and its text without the line's end."""

    cells: list[str]
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Block:
    """Whole records: their lines where no quote is in them, else what the csv module reads; and how much that was."""

    lines: list[bytes]
    numbers: Sequence[int]
    records: list[Record] | None
    used: int
    used_lines: int


def split(data: bytes, line: int, *, end: bool) -> Block:
    """Split what was read from `line` on; of a record that goes on behind it, nothing is used."""
    cut = len(data) if end else _last_end(data)
    text = data[:cut]
    if b'"' not in text:
        lines = text.replace(b"\r\n", b"\n")
        if b"\r" not in lines:
            return _plain(lines, line, cut)
    return _quoted(text, line, end=end)


def _last_end(data: bytes) -> int:
    """Where the last line that is whole ends. A carriage return at the very end may be half of a line's end."""
    return data.rfind(b"\n") + 1 or data.rfind(b"\r", 0, -1) + 1


def _plain(text: bytes, line: int, used: int) -> Block:
    lines = text.removesuffix(b"\n").split(b"\n") if text else []
    numbers: Sequence[int] = range(line, line + len(lines))
    if not all(lines) or any(map(bytes.isspace, lines)):
        full = [(number, each) for number, each in zip(numbers, lines, strict=True) if each and not each.isspace()]
        return Block([each for _, each in full], [number for number, _ in full], None, used, len(lines))
    return Block(lines, numbers, None, used, len(lines))


def _quoted(data: bytes, line: int, *, end: bool) -> Block:
    lines = list(io.StringIO(decoded(data, line), newline=""))
    # A record that is open takes the sentinel in.
    reader = csv.reader([*lines, SENTINEL])
    records, start = [], 0
    with _large_cells():
        for cells in reader:
            if reader.line_num > len(lines):
                break
            text = "".join(lines[start : reader.line_num])
            if cells and not text.isspace():
                records.append(Record(cells, text.rstrip("\r\n"), line + start))
            start = reader.line_num
    if end and start < len(lines):
        raise LineError(f"the quoted cell of the record that begins in line {line + start} does not end")
    used = len(data) if start == len(lines) else len("".join(lines[:start]).encode())
    return Block([], [record.line for record in records], records, used, start)


def cells_of(text: str) -> list[str]:
    """The cells of one record."""
    with _large_cells():
        return next(csv.reader(io.StringIO(text, newline="")), [])


@contextmanager
def _large_cells() -> Iterator[None]:
    """Let a cell be as large as a record: the csv module's limit is one for all that use it."""
    before = csv.field_size_limit(LARGEST_RECORD)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def decoded(data: bytes, line: int) -> str:
    """Decode UTF-8; raises LineError that names the line."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        at = line + data[: error.start].count(b"\n")
        raise LineError(f"line {at} is not UTF-8: save the file as UTF-8") from None
