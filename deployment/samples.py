"""Requests made of the sample rows that lie beside a model: samples.csv, with a header."""

import csv
import json
from pathlib import Path
from typing import Any

from deployment.errors import UnreadableError

SAMPLES = "samples.csv"
ROWS = 10


def read_bodies(model: Path) -> list[dict[str, Any]]:
    """Return request bodies with the first rows: the first alone, then up to ROWS together."""
    path = model / SAMPLES
    try:
        with path.open(newline="") as file:
            _header, *lines = csv.reader(file)
    except (OSError, ValueError) as reason:
        raise UnreadableError(f"{path}: expected a CSV file with a header and sample rows ({reason})") from None
    if not lines:
        raise UnreadableError(f"{path}: expected sample rows below the header")
    rows = [[_cell(text) for text in line] for line in lines[:ROWS]]
    return [{"data": rows[:1]}, {"data": rows}]


def _cell(text: str) -> Any:
    """A number where it is one; null where it is empty; else the text."""
    if not text:
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, int | float) else text
