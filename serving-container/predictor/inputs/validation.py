"""Cells as a request holds them, checked against the schema and made into the rows that the model takes."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from predictor.errors import BadInputError, Fault
from predictor.inputs.conversion import WRONG, Parse, convert, is_missing, numbers, shown, wrong_cell
from predictor.inputs.rows import Columns, Rows
from predictor.inputs.schema import Container, FeatureType, Schema, plain_name

MAX_FAULTS = 10
"""Faults reported of one body; the first ones are enough to mend it."""
LISTED = 10
"""Known categories in a message."""

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


def to_rows(table: Table, schema: Schema) -> Rows:
    """Check length of rows, columns and cells; raises BadInputError that says where."""
    width = _width(table)
    if schema.container is Container.RECORDS and table.columns is None:
        raise BadInputError('The model takes records: send objects with names, such as {"data": [{"a": 1, "b": "x"}]}.')
    order = column_order(table.columns, width, schema)
    if order is None:
        check_width(width, schema, table.row_pointer(0))
        order = range(width)
    try:
        return _numeric(table, order, schema) if schema.numeric else _mixed(table, order, schema)
    except WRONG:
        _explain(table, order, schema)


def check_width(width: int, schema: Schema, pointer: str) -> None:
    expected = schema.width
    if expected is not None and width != expected:
        both = f" ({_quoted(schema.names)}), or all {len(schema.trained)} columns of the training"
        detail = f"expected {_count(expected, 'feature')}{both if schema.trained else ''}, got {width}"
        raise BadInputError(f"Wrong number of features: {detail}, in row 0.", Fault(pointer, detail))


def column_order(columns: Sequence[str] | None, width: int, schema: Schema) -> Sequence[int] | None:
    """Where each feature of the model is in the request; None when the request's order is the model's."""
    if columns is None and width == len(schema.trained):
        columns = schema.trained
    if columns is None:
        return None
    if len(columns) != width:
        raise BadInputError(f"Expected a name for each of {_count(width, 'column')}, got {len(columns)}.")
    if len(set(columns)) != width:
        repeated = [name for name, count in Counter(columns).items() if count > 1]
        raise BadInputError(f"Column names repeat: {_quoted(repeated)}.")
    if not schema.names and not schema.own_code:
        raise BadInputError(NAMELESS)
    if not schema.names or schema.names == tuple(columns):
        return None
    return _places(columns, schema)


def _places(columns: Sequence[str], schema: Schema) -> list[int]:
    """Where each of the model's names is among the request's; raises BadInputError when they differ."""
    where = {name: index for index, name in enumerate(columns)}
    if not where.keys() >= set(schema.names):
        where = {schema.aliases.get(plain_name(name), name): index for name, index in where.items()}
    wrong = _difference("missing", schema.names, where) + _difference(
        "unknown", where, {*schema.names, *schema.ignored}
    )
    if wrong:
        raise BadInputError(
            f"Wrong columns: {'; '.join(wrong)}. The model's columns: {_quoted(schema.names)}. "
            f"Send rows such as {schema.example}."
        )
    return [where[name] for name in schema.names]


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


def _numeric(table: Table, order: Sequence[int], schema: Schema) -> npt.NDArray[np.float64]:
    whole = isinstance(order, range)
    listed = chain.from_iterable(table.cells) if whole else (row[index] for row in table.cells for index in order)
    missing = len(schema.required) < len(order)
    rows = numbers(list(listed), table.parse, missing=missing).reshape(len(table.cells), len(order))
    if missing and schema.required and np.isnan(rows[:, schema.required]).any():
        raise ValueError
    return rows


def _mixed(table: Table, order: Sequence[int], schema: Schema) -> Columns:
    columns = list(zip(*table.cells, strict=True))
    arrays = [convert(columns[index], schema.feature(feature), table.parse) for feature, index in enumerate(order)]
    return Columns(tuple(arrays), schema.names or table.columns or ())


def check_categories(rows: Rows, schema: Schema) -> None:
    """Refuse what an encoder of the model has not seen in training; raises BadInputError that says where."""
    for position in schema.closed if not hasattr(rows, "toarray") else ():
        feature = schema.feature(position)
        cells = rows.arrays[position] if isinstance(rows, Columns) else rows[:, position]
        if feature.type is FeatureType.DATETIME:
            continue  # the model compares moments itself
        for row, cell in enumerate(cells.tolist()):
            if cell not in feature.known and not is_missing(cell):
                listed = ", ".join(map(shown, feature.categories[:LISTED]))
                values = listed + ", ..." * (len(feature.categories) > LISTED)
                detail = f"expected one of {values}, got {shown(cell)}"
                raise BadInputError(
                    f"A cell is not what the model takes: {detail} in row {row}, column {schema.label(position)}."
                )


def _explain(table: Table, order: Sequence[int], schema: Schema) -> NoReturn:
    """Name the cells that are wrong; the first one by its column's name, with a row that suits the model."""
    found = list(islice(_wrong_cells(table, order, schema), MAX_FAULTS))
    if not found:
        raise BadInputError("A cell is not what the model takes.")
    row, feature, first = found[0]
    place = f", row {row}, column {schema.label(feature)}" if schema.names else ""
    example = f" The model takes rows such as {schema.example}." if schema.names else ""
    detail = f"A cell is not what the model takes: {first.detail} at {first.pointer}{place}.{example}"
    raise BadInputError(detail, *(fault for _, _, fault in found))


def _wrong_cells(table: Table, order: Sequence[int], schema: Schema) -> Iterator[tuple[int, int, Fault]]:
    """Row, feature and fault of each wrong cell."""
    wrong = {index: feature for feature, index in enumerate(order) if not _converts(table, index, feature, schema)}
    for row, cells in enumerate(table.cells):
        for column, cell in enumerate(cells):
            if column in wrong and (expected := wrong_cell(cell, schema.feature(wrong[column]), table.parse)):
                fault = Fault(table.cell_pointer(row, column), f"expected {expected}, got {shown(cell)}")
                yield row, wrong[column], fault


def _converts(table: Table, index: int, feature: int, schema: Schema) -> bool:
    try:
        convert([row[index] for row in table.cells], schema.feature(feature), table.parse)
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
