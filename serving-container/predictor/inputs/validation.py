"""Cells as a request holds them, checked against the signature and made into the rows that the model takes."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import numpy.typing as npt

from predictor.errors import BadInputError, Fault
from predictor.inputs.conversion import WRONG, Parse, convert, numbers, shown, wrong_cell
from predictor.inputs.rows import Rows, Signature

if TYPE_CHECKING:
    import pandas as pd

MAX_FAULTS = 10
"""Faults reported of one body; the first ones are enough to mend it."""

NAMELESS = (
    "The model was trained without column names: leave out `columns` and send the features in the order of training, "
    "as lists."
)


@dataclass(frozen=True, slots=True)
class Table:
    """Cells not yet checked: rows may differ in length, and a cell may be anything."""

    cells: list[list[Any]]
    columns: tuple[str, ...] | None = None
    place: tuple[str, str] = ("/data/", "/")
    """The JSON Pointer of a cell is place[0], row, place[1], column."""
    by_name: bool = False
    """Whether a pointer names the column (records) or counts it (lists)."""
    parse: Parse = None
    """What makes a number of a cell, where every cell is text (CSV)."""
    single: bool = False
    """Whether the only row stands where a list of rows might: its pointer has no number."""

    def row_pointer(self, row: int) -> str:
        return self.place[0] if self.single else f"{self.place[0]}{row}"

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
    except WRONG:
        _explain(table, order, signature)


def check_width(width: int, signature: Signature, pointer: str) -> None:
    expected = signature.features
    if expected is not None and width != expected:
        both = f" ({_quoted(signature.names)}), or all {len(signature.trained)} columns of the training"
        detail = f"expected {_count(expected, 'feature')}{both if signature.trained else ''}, got {width}"
        raise BadInputError(f"Wrong number of features: {detail}, in row 0.", Fault(pointer, detail))


def column_order(columns: Sequence[str] | None, width: int, signature: Signature) -> Sequence[int] | None:
    """Where each feature of the model is in the request; None when the request's order is the model's."""
    if columns is None and width == len(signature.trained):
        columns = signature.trained
    if columns is None:
        return None
    if len(columns) != width:
        raise BadInputError(f"Expected a name for each of {_count(width, 'column')}, got {len(columns)}.")
    where = {name: index for index, name in enumerate(columns)}
    if len(where) != width:
        repeated = (name for name, count in Counter(columns).items() if count > 1)
        raise BadInputError(f"Column names repeat: {_quoted(repeated)}.")
    if not signature.names and not signature.own_code:
        raise BadInputError(NAMELESS)
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
    listed = chain.from_iterable(table.cells) if whole else (row[index] for row in table.cells for index in order)
    rows = numbers(list(listed), table.parse, missing=signature.missing).reshape(len(table.cells), len(order))
    if signature.required and np.isnan(rows[:, sorted(signature.required)]).any():
        raise ValueError
    return rows


def _mixed(table: Table, order: Sequence[int], signature: Signature) -> Rows:
    columns = [
        convert([row[index] for row in table.cells], feature, signature, table.parse)
        for feature, index in enumerate(order)
    ]
    names = signature.names or table.columns
    if names and (signature.frame or signature.text is None):
        return _frame(names, columns, signature)
    if not any(column.dtype.hasobject for column in columns):
        return np.column_stack(columns)
    rows = np.empty((len(table.cells), len(columns)), dtype=object)
    for feature, column in enumerate(columns):
        rows[:, feature] = column
    return rows


def _frame(names: Sequence[str], columns: list[npt.NDArray[Any]], signature: Signature) -> "pd.DataFrame":
    """Make a DataFrame; a column of strings stays one of objects, where pandas would have it depend on its cells."""
    import pandas as pd  # noqa: PLC0415  # a worker with an ONNX model never needs it

    kept = (signature.text or frozenset()) | signature.objects
    return pd.DataFrame(
        {
            name: pd.Series(column, dtype=object) if feature in kept else column
            for feature, (name, column) in enumerate(zip(names, columns, strict=True))
        }
    )


def _explain(table: Table, order: Sequence[int], signature: Signature) -> NoReturn:
    """Name the cells that are wrong."""
    found = tuple(islice(_faults(table, order, signature), MAX_FAULTS))
    first = f" {found[0].detail} at {found[0].pointer}" if found else ""
    raise BadInputError(f"A cell is not what the model takes:{first}.", *found)


def _faults(table: Table, order: Sequence[int], signature: Signature) -> Iterator[Fault]:
    wrong = {index: feature for feature, index in enumerate(order) if not _converts(table, index, feature, signature)}
    for row, cells in enumerate(table.cells):
        for column, cell in enumerate(cells):
            if column in wrong and (expected := wrong_cell(cell, wrong[column], signature, table.parse)):
                yield Fault(table.cell_pointer(row, column), f"expected {expected}, got {shown(cell)}")


def _converts(table: Table, index: int, feature: int, signature: Signature) -> bool:
    try:
        convert([row[index] for row in table.cells], feature, signature, table.parse)
    except WRONG:
        return False
    return True


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
