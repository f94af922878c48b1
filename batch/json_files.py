"""JSON Lines: one record or row a line, with the prediction beside the record's own keys."""

import json
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from batch.columns import Columns
from batch.csv_files import UTF_8_BOM, UTF_16_BOMS
from batch.errors import LineError
from batch.records import LARGEST_RECORD, Answers, Chunk, InPlace, Options, Position, Size

ANSWER = b'{"prediction":'
ADDED = ("prediction", "probabilities", "error")


class JsonFile:
    """A file of JSON Lines as chunks of records."""

    content_type = "application/jsonlines"
    accept = "application/jsonlines"
    prefix = b""
    columns: Sequence[str] = ()

    def __init__(self, path: Path, columns: Columns, options: Options) -> None:
        self.path = path
        self.size = Size()
        self.total = path.stat().st_size
        self._known = columns
        self._options = options
        with path.open("rb") as file:
            first = file.read(len(UTF_8_BOM))
        if first.startswith(UTF_16_BOMS):
            raise LineError(f"{path} is UTF-16: save it as UTF-8")
        self.start = Position(len(UTF_8_BOM) if first == UTF_8_BOM else 0, 1)

    def chunks(self, position: Position) -> Generator[Chunk]:
        """Read records from a position on; blank lines are none."""
        rest, offset, line = b"", position.offset, position.line
        with self.path.open("rb") as file:
            file.seek(offset)
            while True:
                read = file.read(self.size.value)
                data = rest + read
                if not data:
                    return
                cut = data.rfind(b"\n") + 1 if read else len(data)
                text, rest = data[:cut], data[cut:]
                if len(rest) > LARGEST_RECORD:
                    raise LineError(f"{self.path}: the record behind line {line} is larger than 16 MB")
                lines = text.removesuffix(b"\n").split(b"\n") if text else []
                offset, first, line = offset + cut, line, line + len(lines)
                if found := [(at, each.strip()) for at, each in enumerate(lines, first) if each.strip()]:
                    yield self._chunk(found, Position(offset, line))

    def _chunk(self, found: list[tuple[int, bytes]], end: Position) -> Chunk:
        sent, kept, faults = [], [], {}
        for at, (_, text) in enumerate(found):
            one, other, fault = self._read(text)
            sent.append(one)
            kept.append(other)
            if fault:
                faults[at] = fault
        return Chunk(sent, kept, [number for number, _ in found], end, faults)

    def _read(self, text: bytes) -> tuple[bytes, bytes, str]:
        """Return what the model gets of a line, what the output keeps of it, and what is wrong with it."""
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            return b"", b"{}", f"is not JSON: {error}"
        only = self._options.only
        if not isinstance(value, dict):
            return text, b"{}" if only is not None else b'{"data":' + text + b"}", ""
        kept = text if only is None else _written({name: value.get(name) for name in only})
        fault = next((f'has a key "{name}" already' for name in ADDED if name in (value if only is None else only)), "")
        if fault:
            return b"", kept, f"{fault}: leave it out with --only"
        if lacking := [name for name in self._known.names if name not in value]:
            return b"", kept, f'lacks the key "{lacking[0]}": write null where there is no value'
        if self._known.takes_all(tuple(value)):
            return text, kept, ""
        sent, fault = self._projected(text)
        return sent, kept, fault

    def _projected(self, text: bytes) -> tuple[bytes, str]:
        """Leave out what the model does not take; a key that stands twice would hide a cell."""
        taken = [pair for pair in json.loads(text, object_pairs_hook=tuple) if self._known.takes_all(pair[:1])]
        record = dict(taken)
        return _written(record), "" if len(record) == len(taken) else "has a key twice"


class JsonSink(InPlace):
    """Writes each record with the answer as further keys."""

    def begin(self, _: Answers | None) -> bytes:
        """Return what stands before the first record: nothing."""
        return b""

    def text(self, chunk: Chunk, answers: Answers) -> bytes:
        """Return the lines of a chunk."""
        kept: Sequence[bytes] = chunk.kept
        lines = []
        for at, (record, prediction) in enumerate(zip(kept, answers.predictions, strict=True)):
            added = b'"prediction":' + _value(prediction)
            if answers.probabilities is not None:
                added += b',"probabilities":' + _value(answers.probabilities[at])
            if at in answers.errors:
                added += b',"error":' + _written(answers.errors[at])
            own = record[:-1].rstrip()
            lines.append(own + (b"" if own == b"{" else b",") + added + b"}\n")
        return b"".join(lines)


def _value(line: bytes | None) -> bytes:
    """The value in a line of an answer."""
    return b"null" if line is None else line.removeprefix(ANSWER).removesuffix(b"}")


def _written(value: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # half a surrogate pair
        return json.dumps(value, separators=(",", ":")).encode()
