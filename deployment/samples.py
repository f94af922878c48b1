"""Requests made of the sample rows that lie beside a model: samples.csv, with a header."""

import csv
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deployment.errors import UnreadableError

SAMPLES = "samples.csv"
ROWS = 10
# How pandas and Python write what JSON writes as true and false.
BOOLEANS = {"True": True, "true": True, "False": False, "false": False}
# How pandas and NumPy write what is missing.
MISSING = frozenset({"", "nan", "NaN"})


@dataclass(frozen=True, slots=True)
class Samples:
    """Sample rows, each cell as JSON has it."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def body(self, count: int) -> dict[str, Any]:
        """Return a request body with the first rows; the columns are named where they are not all numbers."""
        rows = [list(row) for row in self.rows[:count]]
        numeric = all(cell is None or _is_number(cell) for row in self.rows for cell in row)
        return {"data": rows} if numeric else {"data": rows, "columns": list(self.columns)}


def read_samples(model: Path) -> Samples:
    """Read the first rows of a model directory's samples.csv; raises UnreadableError."""
    path = model / SAMPLES
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            header, *lines = [line for line in csv.reader(file) if line]
    except (OSError, ValueError, csv.Error) as reason:
        raise UnreadableError(f"{path}: expected a CSV file with a header and sample rows ({reason})") from None
    if not lines:
        raise UnreadableError(f"{path}: expected sample rows below the header")
    if not header[0]:
        raise UnreadableError(f"{path}: its first column has no name; write it without its index: to_csv(index=False)")
    return Samples(tuple(header), tuple(tuple(map(_cell, line)) for line in lines[:ROWS]))


def read_bodies(model: Path) -> list[dict[str, Any]]:
    """Return request bodies with the first rows: the first alone, then up to ROWS together."""
    samples = read_samples(model)
    return [samples.body(1), samples.body(ROWS)]


def _cell(text: str) -> Any:
    """A number, a boolean or null where it is one; else the text."""
    if text in MISSING:
        return None
    if text in BOOLEANS:
        return BOOLEANS[text]
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if _is_number(value) else text


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
