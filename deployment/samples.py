"""Requests made of the sample rows that lie beside a model: samples.csv, with a header.

A CSV file says neither whether "94110" is a number or a string, nor whether the model wants the names of its columns.
The model does: it is asked, and what it refuses is sent in another form, or said.
"""

import csv
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

from deployment.errors import UnreadableError

SAMPLES = "samples.csv"
ROWS = 10
SHOWN = 500
# How pandas and Python write what JSON writes as true and false.
BOOLEANS = {"True": True, "true": True, "False": False, "false": False}
# How pandas and NumPy write what is missing.
MISSING = frozenset({"", "nan", "NaN"})
# How the container points at a cell, and words that it has to be a string, and that names are not the model's.
CELL = re.compile(r"/data/\d+/(\d+)")
STRING = re.compile(r'expected a string|expected one of "')
WRONG_NAMES = re.compile(r"Wrong columns|missing column|unknown column")
NAMELESS = "trained without column names"


@dataclass(frozen=True, slots=True)
class Samples:
    """Sample rows as the file has them, and how they are sent: with `columns`, and `strings` as strings."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    strings: frozenset[int]
    named: bool = True

    def body(self, count: int) -> dict[str, Any]:
        """Return a request body with the first rows."""
        rows = [[self._cell(*cell) for cell in enumerate(row)] for row in self.rows[:count]]
        return {"data": rows, "columns": list(self.columns)} if self.named else {"data": rows}

    def bodies(self) -> list[dict[str, Any]]:
        """Return the first row alone, then up to ROWS together."""
        return [self.body(1), self.body(ROWS)]

    def _cell(self, column: int, text: str) -> Any:
        return (text or None) if column in self.strings else _typed(text)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model says to a body: the status, and the value of the JSON, or the text that is none."""

    status: int
    content: Any

    @property
    def failed(self) -> bool:
        """Whether the model failed, rather than refused."""
        return self.status >= HTTPStatus.INTERNAL_SERVER_ERROR

    def refusal(self, count: int) -> str:
        """Why this is no answer to so many rows; empty when it is one."""
        content = self.content if isinstance(self.content, dict) else {}
        if self.status != HTTPStatus.OK:
            said = str(content.get("detail") or self.content)[:SHOWN]
            return f"{self.status} {' '.join(said.split())}"
        given = content.get("predictions")
        return f"{len(given)} predictions for {count} rows" if isinstance(given, list) and len(given) != count else ""

    def faults(self) -> dict[int, str]:
        """What is wrong with the cells of a column, by its position."""
        found = self.content.get("errors", []) if isinstance(self.content, dict) else []
        cells = [(CELL.fullmatch(fault["pointer"]), fault["detail"]) for fault in found]
        return {int(cell[1]): detail for cell, detail in cells if cell}


Ask = Callable[[dict[str, Any]], Reply]


def read_samples(model: Path) -> Samples:
    """Read a model directory's samples.csv; raises UnreadableError."""
    path = model / SAMPLES
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            header, *lines = [line for line in csv.reader(file) if line]
    except (OSError, ValueError, csv.Error) as error:
        raise UnreadableError(f"{path}: expected a CSV file with a header and sample rows ({error})") from None
    if not lines:
        raise UnreadableError(f"{path}: expected sample rows below the header")
    if not header[0]:
        raise UnreadableError(f"{path}: its first column has no name; write it without its index: to_csv(index=False)")
    for number, line in enumerate(lines, 1):
        if len(line) != len(header):
            raise UnreadableError(f"{path}: row {number} has {len(line)} cells, the header {len(header)}")
    strings = {column for column, cells in enumerate(zip(*lines, strict=True)) if _holds_text(cells)}
    return Samples(path, tuple(header), tuple(map(tuple, lines[:ROWS])), frozenset(strings))


def fit(samples: Samples, ask: Ask) -> Samples:
    """Return the samples in the form that the model takes; raises UnreadableError with what it refuses."""
    first = ""
    while True:
        refused = _refused(samples, ask)
        if refused is None:
            return samples
        reply, refusal = refused
        faults = reply.faults()
        texts = {column for column, detail in faults.items() if STRING.search(detail)} - samples.strings
        if texts:
            samples = replace(samples, strings=samples.strings | texts)
        elif samples.named and not faults and not WRONG_NAMES.search(refusal):
            samples = replace(samples, named=False)
            first = "" if NAMELESS in refusal else refusal
        else:
            # What is wrong with the named columns says more than what is wrong without their names.
            raise UnreadableError(f"{samples.path} does not fit the model: {first or refusal}")


def _refused(samples: Samples, ask: Ask) -> tuple[Reply, str] | None:
    # Several rows first: of one, a wrong form may look as if it were answered.
    for body in reversed(samples.bodies()):
        reply = ask(body)
        if refusal := reply.refusal(len(body["data"])):
            return reply, refusal
    return None


def _holds_text(cells: tuple[str, ...]) -> bool:
    """Whether a cell is no number: then all cells of its column are strings, the ZIP code 94110 beside 02134."""
    return any(isinstance(_typed(cell), str) for cell in cells)


def _typed(text: str) -> Any:
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
