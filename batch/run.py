"""A batch from its input to its output: one file or a folder of files, complete in the end or absent."""

import glob
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from batch.columns import Columns, read_columns
from batch.csv_files import CsvFile, CsvSink
from batch.errors import BatchError, LineError
from batch.journal import Journal, identity_of, lock
from batch.json_files import JsonFile, JsonSink
from batch.parquet_files import ParquetFile, ParquetSink
from batch.progress import Progress
from batch.records import LIKELY, Item, Options, Sink, Source
from batch.state import State, Way

CSV = (".csv",)
JSON_LINES = (".jsonl", ".ndjson")
PARQUET = (".parquet",)
SUFFIXES = (*CSV, *JSON_LINES, *PARQUET)


@dataclass(frozen=True, slots=True)
class Batch:
    """What to do: the model's folder, a file or a folder of files, where the output goes, and how."""

    model: Path
    python: Path
    """The interpreter that has the model's packages."""
    input: Path
    output: Path
    options: Options
    overwrite: bool = False


def run(batch: Batch, way: Way, progress: Progress) -> None:
    """Do a batch, or what is left of one; the output is there in the end, or nothing of it."""
    files = find_files(batch.input)
    _check_output(batch)
    batch.output.parent.mkdir(parents=True, exist_ok=True)
    begun, journal = _beside(batch.output, "partial"), Journal(_beside(batch.output, "journal"), _identity(batch))
    with _locked(batch.output):
        if not journal.load():
            _remove_all(begun)
        if batch.input.is_dir():
            begun.mkdir(exist_ok=True)
        items = _items(batch, files)
        progress.total = sum(item.source.total for item in items)
        try:
            way.predict(items, State(batch.options, journal, progress))
        except LineError:
            # The input has to change, and then the batch begins anew.
            _remove_all(begun)
            journal.remove()
            raise
        _remove(batch.output)
        begun.rename(batch.output)
        journal.remove()


def find_files(path: Path) -> list[Path]:
    """Return the file, or the files of a folder that can be read, by name."""
    if not path.exists():
        raise BatchError(f"{path} does not exist: name the file, or the folder of files, that holds the records")
    files = [path] if path.is_file() else sorted(each for each in path.iterdir() if each.suffix.lower() in SUFFIXES)
    if not files or files[0].suffix.lower() not in SUFFIXES:
        raise BatchError(f"{path} is no file that can be read: expected one that ends in {', '.join(SUFFIXES)}")
    return files


def _check_output(batch: Batch) -> None:
    if batch.input.resolve() == batch.output.resolve():
        raise BatchError("the output is the input: name another")
    if batch.output.exists() and not batch.overwrite:
        raise BatchError(f"{batch.output} is there already: name another, or say --overwrite")
    if batch.input.is_file() and batch.output.suffix.lower() != batch.input.suffix.lower():
        raise BatchError(f"the output has the input's format: name a file that ends in {batch.input.suffix}")


def _identity(batch: Batch) -> dict[str, object]:
    """What a run has in common with the one that it may go on from."""
    return {
        "model": [str(batch.model.resolve()), identity_of(batch.model)],
        "input": [str(batch.input.resolve()), identity_of(batch.input)],
        "options": asdict(batch.options),
    }


def _beside(output: Path, suffix: str) -> Path:
    return output.with_name(f"{output.name}.{suffix}")


def _remove_all(begun: Path) -> None:
    """Remove what was begun, with the files that stand for it until it is complete."""
    for path in begun.parent.glob(f"{glob.escape(begun.name)}*"):
        _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def _locked(output: Path) -> Iterator[None]:
    path = _beside(output, "lock")
    with path.open("wb") as file:
        lock(file, output)
        try:
            yield
        finally:
            path.unlink()


def _items(batch: Batch, files: Sequence[Path]) -> list[Item]:
    """Read the headers: one that does not fit is told before the model is started."""
    begun, columns = _beside(batch.output, "partial"), _columns(batch)
    targets = [begun / file.name if batch.input.is_dir() else begun for file in files]
    opened = [open_file(file, columns, batch.options) for file in files]
    return [Item(source, sink, target) for (source, sink), target in zip(opened, targets, strict=True)]


def _columns(batch: Batch) -> Columns:
    columns = read_columns(batch.model, batch.python)
    if batch.options.probabilities and LIKELY not in columns.methods:
        raise BatchError(f"the model has no probabilities: it answers {', '.join(columns.methods)}")
    return columns


def open_file(path: Path, columns: Columns, options: Options) -> tuple[Source, Sink]:
    """Return what reads a file by the format that its name says, and what writes the same."""
    if path.suffix.lower() in CSV:
        table = CsvFile(path, columns, options)
        return table, CsvSink(table, options)
    if path.suffix.lower() in PARQUET:
        rows = ParquetFile(path, columns, options)
        return rows, ParquetSink(rows, options)
    return JsonFile(path, columns, options), JsonSink()
