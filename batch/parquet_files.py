"""Parquet files through pyarrow, which is an extra: batches of rows in, the same rows with the predictions out.

A Parquet file cannot be written on after a kill. So the output is a row of Arrow streams first, one a chunk, and is
made Parquet at the end.
"""

import io
import json
import os
import sys
from collections.abc import Generator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson

from batch.columns import Columns
from batch.errors import BatchError
from batch.json_files import ADDED
from batch.records import Answers, Chunk, Options, Position, Size

BYTES_A_ROW = 64
"""How the size of a chunk in bytes becomes one in rows."""


def arrow() -> Any:
    """Return pyarrow with the parts that are used; raises BatchError where it is not installed."""
    if find_spec("pyarrow") is None:
        raise BatchError(
            "Parquet is read by pyarrow, which is not installed: install it beside this program "
            f"({sys.executable} -m pip install pyarrow, or uv pip install), or write the file as CSV or JSON Lines"
        )
    import pyarrow as pa  # noqa: PLC0415  # an extra
    import pyarrow.parquet  # noqa: PLC0415  # as above

    return pa


class ParquetFile:
    """A Parquet file as chunks of rows; a position's offset counts rows."""

    content_type = "application/jsonlines"
    accept = "application/jsonlines"
    prefix = b""

    def __init__(self, path: Path, columns: Columns, options: Options) -> None:
        self.path = path
        self.size = Size()
        self.start = Position(0, 1)
        pa = arrow()
        try:
            with pa.parquet.ParquetFile(path) as file:
                names, self.total = file.schema_arrow.names, file.metadata.num_rows
        except pa.ArrowInvalid as error:
            raise BatchError(f"{path} is not Parquet: {error}") from None
        self.columns: Sequence[str] = columns.names or names
        if lacking := [name for name in self.columns if name not in names]:
            raise BatchError(f"{path} lacks the column {lacking[0]}, which the model takes; it has {', '.join(names)}")
        if not columns.names and columns.width not in {None, len(names)}:
            raise BatchError(f"the model takes {columns.width} columns, and {path} has {len(names)}")
        self.kept = names if options.only is None else list(options.only)
        if wrong := [name for name in self.kept if name not in names]:
            raise BatchError(f"--only names {wrong[0]}, which is no column of {path}")
        if taken := [name for name in self.kept if name in ADDED]:
            raise BatchError(f"{path} has a column {taken[0]} already: leave it out with --only")

    def chunks(self, position: Position) -> Generator[Chunk]:
        """Read rows from a position on."""
        pa = arrow()
        wanted = list(dict.fromkeys([*self.columns, *self.kept]))
        row = 0
        with pa.parquet.ParquetFile(self.path) as file:
            for batch in file.iter_batches(self.size.most // BYTES_A_ROW, columns=wanted):
                skipped = max(position.offset - row, 0)
                row += len(batch)
                if row > position.offset:
                    yield self._chunk(batch.slice(skipped), row)

    def _chunk(self, batch: Any, end: int) -> Chunk:
        cells = [batch.column(name).to_pylist() for name in self.columns]
        rows = list(map(_written, zip(*cells, strict=True)))
        faults = {at: row for at, row in enumerate(rows) if isinstance(row, str)}
        sent = [b"" if isinstance(row, str) else row for row in rows]
        lines = range(end - len(rows) + 1, end + 1)
        return Chunk(sent, batch.select(self.kept), lines, Position(end, end + 1), faults)


class ParquetSink:
    """Adds the columns prediction, probabilities and error."""

    def __init__(self, source: ParquetFile, options: Options) -> None:
        self._source = source
        self._options = options

    def working(self, target: Path) -> Path:
        """Return the file of the streams."""
        return target.with_name(f"{target.name}.arrow")

    def begin(self, _: Answers | None) -> bytes:
        """Return what stands before the rows: nothing."""
        return b""

    def text(self, chunk: Chunk, answers: Answers) -> bytes:
        """Return a chunk as an Arrow stream."""
        pa, batch = arrow(), chunk.kept
        batch = batch.append_column("prediction", pa.array(_values(answers.predictions)))
        if answers.probabilities is not None:
            batch = batch.append_column("probabilities", pa.array(_values(answers.probabilities)))
        if self._options.skip:
            errors = [answers.errors.get(at) for at in range(len(batch))]
            batch = batch.append_column("error", pa.array(errors, pa.string()))
        stream = io.BytesIO()
        with pa.ipc.new_stream(stream, batch.schema) as writer:
            writer.write_batch(batch)
        return stream.getvalue()

    def finish(self, target: Path) -> None:
        """Make Parquet of the streams; a column's type is what fits all of them."""
        pa = arrow()
        written, fresh = self.working(target), target.with_name(f"{target.name}.new")
        schemas = [table.schema for table in _streams(written)]
        schema = pa.unify_schemas(schemas, promote_options="permissive") if schemas else _empty(self._source)
        with fresh.open("wb") as file:
            with pa.parquet.ParquetWriter(file, schema) as writer:
                for table in _streams(written):
                    writer.write_table(table.cast(schema))
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(target)
        written.unlink()


def _streams(path: Path) -> Generator[Any]:
    pa, size = arrow(), path.stat().st_size
    with pa.OSFile(str(path)) as file:
        while file.tell() < size:
            with pa.ipc.open_stream(file) as reader:
                yield reader.read_all()


def _empty(source: ParquetFile) -> Any:
    pa = arrow()
    schema = pa.parquet.read_schema(source.path)
    return pa.schema([schema.field(name) for name in source.kept]).append(pa.field("prediction", pa.null()))


def _written(row: Sequence[Any]) -> bytes | str:
    """Return a row as JSON, or what is wrong with it; NaN is null, as every missing value."""
    try:
        return orjson.dumps(row, default=_number)
    except TypeError as error:
        return f"a cell cannot be written as JSON: {error}"


def _number(value: Any) -> float:
    """A decimal as a number."""
    return float(value)


def _values(lines: Sequence[bytes | None]) -> list[Any]:
    return [None if line is None else json.loads(line)["prediction"] for line in lines]
