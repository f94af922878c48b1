"""Cells as a request holds them, checked against the signature and made into the rows that the model takes."""

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from math import isfinite, isnan, nan
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from predictor.errors import BadInputError, Fault
from predictor.rows import Rows, Signature

MAX_FAULTS = 10
"""Faults reported of one body; the first ones are enough to mend it."""

SHOWN = 40
"""Characters of a wrong cell that an error message repeats."""


@dataclass(frozen=True, slots=True)
class Table:
    """Cells not yet checked: rows may differ in length, and a cell may be anything."""

    cells: list[list[Any]]
    columns: tuple[str, ...] | None = None
    place: tuple[str, str] = ("/data/", "/")
    """The JSON Pointer of a cell is place[0], row, place[1], column."""
    by_name: bool = False
    """Whether a pointer names the column (records) or counts it (lists)."""
    parse: Callable[[str], float] | None = None
    """What makes a number of a cell, where every cell is text (CSV)."""

    def row_pointer(self, row: int) -> str:
        return f"{self.place[0]}{row}"

    def cell_pointer(self, row: int, column: int) -> str:
        key: object = column
        if self.by_name and self.columns:
            key = self.columns[column].replace("~", "~0").replace("/", "~1")
        return f"{self.row_pointer(row)}{self.place[1]}{key}"


def to_rows(table: Table, signature: Signature) -> Rows:
    """Check length of rows, columns and cells; raises BadInputError that says where."""
    width = _width(table)
    order = column_order(table.columns, width, signature)
    if order is None:
        check_width(width, signature, table.row_pointer(0))
        order = range(width)
    try:
        return _numeric(table, order, signature) if signature.numeric else _mixed(table, order, signature)
    except (TypeError, ValueError, OverflowError):
        _explain(table, order, signature)


def from_array(values: npt.NDArray[np.float64], signature: Signature, place: str) -> npt.NDArray[np.float64]:
    """Check a numeric array, shape (rows, features), whose first row's JSON Pointer is `place`."""
    if not values.size:
        raise BadInputError("Expected at least one row of at least one feature, got none.")
    check_width(values.shape[1], signature, place)
    return values


def check_width(width: int, signature: Signature, pointer: str) -> None:
    expected = signature.features
    if expected is not None and width != expected:
        detail = f"expected {_count(expected, 'feature')}, got {width}"
        raise BadInputError(f"Wrong number of features: {detail}, in row 0.", Fault(pointer, detail))


def column_order(columns: Sequence[str] | None, width: int, signature: Signature) -> Sequence[int] | None:
    """Where each feature of the model is in the request; None when the request's order is the model's."""
    if columns is None:
        return None
    if len(columns) != width:
        raise BadInputError(f"Expected a name for each of {_count(width, 'column')}, got {len(columns)}.")
    where = {name: index for index, name in enumerate(columns)}
    if len(where) != width:
        raise BadInputError("Column names repeat: " + _quoted(name for name in where if columns.count(name) > 1) + ".")
    if not signature.names or signature.names == tuple(columns):
        return None
    wrong = _difference("missing", signature.names, where) + _difference(
        "unknown", columns, {*signature.names, *signature.ignored}
    )
    if wrong:
        raise BadInputError(f"Wrong columns: {'; '.join(wrong)}. The model's columns: {_quoted(signature.names)}.")
    return [where[name] for name in signature.names]


def _width(table: Table) -> int:
    """Cells of a row, all rows being equally long."""
    if not table.cells:
        raise BadInputError("Expected at least one row, got none.")
    width = len(table.cells[0])
    for index, row in enumerate(table.cells):
        if len(row) != width:
            detail = f"expected {_count(width, 'cell')} as in row 0, got {len(row)}"
            raise BadInputError(
                f"Rows differ in length: {detail}, in row {index}.", Fault(table.row_pointer(index), detail)
            )
    if not width:
        raise BadInputError("Expected at least one feature, got none.", Fault(table.row_pointer(0), "the row is empty"))
    return width


def _numeric(table: Table, order: Sequence[int], signature: Signature) -> npt.NDArray[np.float64]:
    whole = isinstance(order, range)
    cells = chain.from_iterable(table.cells) if whole else (row[index] for row in table.cells for index in order)
    return _floats(cells, table, signature).reshape(len(table.cells), len(order))


def _mixed(table: Table, order: Sequence[int], signature: Signature) -> Rows:
    columns = [
        _column([row[index] for row in table.cells], feature, table, signature) for feature, index in enumerate(order)
    ]
    names = signature.names or table.columns
    if names and (signature.frame or signature.text is None):
        import pandas as pd  # noqa: PLC0415  # a worker with an ONNX model never needs it

        return pd.DataFrame(dict(zip(names, columns, strict=True)))
    if all(isinstance(column, np.ndarray) for column in columns):
        return np.column_stack(columns)
    rows = np.empty((len(table.cells), len(columns)), dtype=object)
    for feature, column in enumerate(columns):
        rows[:, feature] = column
    return rows


def _column(cells: list[Any], feature: int, table: Table, signature: Signature) -> npt.NDArray[np.float64] | list[Any]:
    """One feature's cells: numbers where the model takes numbers, or where it is unknown and all cells are."""
    if signature.text is None:
        try:
            return _floats(cells, table, signature)
        except (TypeError, ValueError, OverflowError):
            pass
    elif feature not in signature.text:
        return _floats(cells, table, signature)
    if not all(isinstance(cell, str | float | int | None) for cell in cells):
        raise TypeError
    return [cell or None for cell in cells] if table.parse else cells


def _floats(cells: Iterable[Any], table: Table, signature: Signature) -> npt.NDArray[np.float64]:
    """Make numbers of cells; an array refuses what is no number, where NumPy would parse text."""
    if table.parse:
        cells = map(table.parse, cells)
    elif signature.missing:
        cells = (nan if cell is None else cell for cell in cells)
    values = np.frombuffer(array("d", cells))
    wrong = np.isinf(values) if signature.missing else ~np.isfinite(values)
    if wrong.any():
        raise ValueError
    return values


def _explain(table: Table, order: Sequence[int], signature: Signature) -> NoReturn:
    """Name the cells that are wrong."""
    text = frozenset(order) if signature.text is None else frozenset(order[feature] for feature in signature.text)
    faults = (
        Fault(table.cell_pointer(row, column), f"expected {expected}, got {_shown(cell)}")
        for row, cells in enumerate(table.cells)
        for column, cell in enumerate(cells)
        if column in order and (expected := _expected(cell, table, signature, text=column in text))
    )
    found = tuple(islice(faults, MAX_FAULTS))
    first = f" {found[0].detail} at {found[0].pointer}" if found else ""
    raise BadInputError(f"A cell is not what the model takes:{first}.", *found)


def _expected(cell: Any, table: Table, signature: Signature, *, text: bool) -> str | None:
    """What a cell should have been, or None when it is right."""
    if text:
        right = isinstance(cell, str | float | int | None)
        return None if right else "a string, number, boolean or null"
    try:
        number = (
            nan if cell is None and signature.missing else table.parse(cell) if table.parse else array("d", [cell])[0]
        )
    except (TypeError, ValueError):
        return "a number"
    except OverflowError:
        return "a number that a 64-bit float can hold"
    if isfinite(number) or (isnan(number) and signature.missing):
        return None
    return "a finite number"


def _shown(cell: Any) -> str:
    """A cell as an error message names it, cut short."""
    kinds = {list: "a list", dict: "an object", type(None): "null", bool: str(cell).lower()}
    if isinstance(cell, str):
        return f'"{cell[:SHOWN]}"' + ("..." if len(cell) > SHOWN else "") if cell else "nothing"
    return kinds.get(type(cell)) or f"{cell:.20g}"


def _difference(problem: str, names: Iterable[str], others: Iterable[str]) -> list[str]:
    others = set(others)
    names = [name for name in names if name not in others]
    return [f"{problem} {_quoted(names)}"] if names else []


def _quoted(names: Iterable[str]) -> str:
    names = list(names)
    listed = ", ".join(f'"{name[:80]}"' for name in names[:MAX_FAULTS])
    return listed + (f" and {len(names) - MAX_FAULTS} more" if len(names) > MAX_FAULTS else "")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
