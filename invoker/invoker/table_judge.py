"""Judges a table by the model's schema: columns, widths and cells, each fault with its column, row and pointer."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from invoker.errors import Failure, InvokerError, Problem
from invoker.model_schema import Feature, ModelSchema
from invoker.tables import Table, shown

# As many problems as one answer lists.
MAX_PROBLEMS = 20
MAX_EXAMPLE = 400
MAX_CATEGORIES = 10
MAX_NAME = 80
SIMILAR = 0.75
TYPES: Mapping[str, frozenset[type]] = {
    "number": frozenset({int, float}),
    "integer": frozenset({int, float}),
    "string": frozenset({str}),
    "boolean": frozenset({bool, int, float}),
    "null": frozenset({type(None)}),
}
EXPECTED = {"number": "a number", "integer": "a whole number", "string": "a string", "boolean": "true or false"}
FORMATS = {"date": 'a date such as "2024-01-31"', "date-time": 'a date and time such as "2024-01-31T12:00:00"'}


def judge(table: Table, schema: ModelSchema, *, max_rows: int) -> None:
    """Raise InvokerError when the model is known not to take the table."""
    if len(table.rows) > max_rows:
        raise refusal([Problem(table.base, f"expected at most {max_rows} rows, got {len(table.rows)}")], schema)
    if table.method is not None and schema.methods and table.method not in schema.methods:
        detail = f"expected one of {', '.join(schema.methods)}, got {shown(table.method)}"
        raise refusal([Problem("/method", detail)], schema)
    if table.foreign or not schema.features:
        return
    kind: type = dict if table.by_name else list
    wrong = [row for row, item in enumerate(table.rows) if type(item) is not kind]
    if wrong:
        expected = "an object" if table.by_name else "a list of cells"
        detail = f"row {wrong[0]}: expected {expected}, got {shown(table.rows[wrong[0]])}"
        raise refusal([Problem(table.row_pointer(wrong[0]), detail)], schema)
    columns = _columns_of_records(table, schema) if table.by_name else _columns_of_rows(table, schema)
    if found := _faults(table, columns):
        raise refusal(found, schema)


def refusal(problems: Sequence[Problem], schema: ModelSchema) -> InvokerError:
    """Say the first problem and an example of what this model takes; list all of them."""
    example = written(schema.example())
    shown_example = f" Example: {example}" if len(example) <= MAX_EXAMPLE else ""
    detail = f"The body is not what the model takes: {problems[0].detail}.{shown_example}"
    return InvokerError(Failure.BAD_REQUEST, detail, problems)


def written(body: Any) -> str:
    """Write a body as a message shows it."""
    return json.dumps(body, ensure_ascii=False)


# A feature, what it is called in the body, and its cells in the order of the rows.
Column = tuple[Feature, object, Sequence[Any]]


def _columns_of_records(table: Table, schema: ModelSchema) -> list[Column]:
    present = set[str]().union(*table.rows)
    _check_names(table, schema, list(present), table.row_pointer(0))
    absent = object()
    columns: list[Column] = []
    for feature in schema.features:
        if feature.name not in present:
            continue
        cells = [record.get(feature.name, absent) for record in table.rows]
        if absent in cells:
            row = cells.index(absent)
            if not feature.nullable:
                detail = f'row {row}: missing column "{feature.name[:MAX_NAME]}"'
                raise refusal([Problem(table.row_pointer(row), detail)], schema)
            # Some clients leave out what is missing.
            cells = [None if cell is absent else cell for cell in cells]
        columns.append((feature, feature.name, cells))
    return columns


def _columns_of_rows(table: Table, schema: ModelSchema) -> list[Column]:
    width = len(table.rows[0])
    ragged = next((row for row, cells in enumerate(table.rows) if len(cells) != width), None)
    if ragged is not None:
        detail = f"row {ragged}: expected {width} cells, as in row 0, got {len(table.rows[ragged])}"
        raise refusal([Problem(table.row_pointer(ragged), detail)], schema)
    names = table.columns
    if names is None and width == len(schema.trained):
        names = schema.trained
    if names is not None and len(names) != width:
        detail = f"expected {width} names, one for each cell of a row, got {len(names)}"
        raise refusal([Problem(_columns_pointer(table), detail)], schema)
    if names is not None and list(names) != list(range(width)):
        _check_names(table, schema, names, _columns_pointer(table))
        if schema.named:
            at = {name: index for index, name in enumerate(names)}
            return _picked(table, [(each, at[each.name]) for each in schema.features if each.name in at])
    used = [feature for feature in schema.features if feature.name in schema.required]
    features = used if len(used) == width else schema.features
    if len(features) != width:
        detail = f"row 0: expected {len(schema.features)} cells, got {width}"
        raise refusal([Problem(table.row_pointer(0), detail)], schema)
    return _picked(table, [(feature, index) for index, feature in enumerate(features)])


def _picked(table: Table, places: Sequence[tuple[Feature, int]]) -> list[Column]:
    columns = list(zip(*table.rows, strict=True))
    return [(feature, index, columns[index]) for feature, index in places]


def _columns_pointer(table: Table) -> str:
    return f"{table.base.removesuffix('/data')}/columns"


def _check_names(table: Table, schema: ModelSchema, names: Sequence[Any], pointer: str) -> None:
    if not schema.named:
        if names and [str(name) for name in names] == [str(index) for index in range(len(names))]:
            return
        if table.by_name and {str(name) for name in names} == {str(index) for index in range(len(schema.features))}:
            return
        detail = "the model was trained without column names: send rows without names"
        raise refusal([Problem(pointer, detail)], schema)
    wrong = next((name for name in names if not isinstance(name, str)), None)
    if wrong is not None:
        raise refusal([Problem(pointer, f"expected names, got {shown(wrong)}")], schema)
    if len(set(names)) != len(names):
        twice = next(name for name in names if list(names).count(name) > 1)
        raise refusal([Problem(pointer, f'the column "{twice[:MAX_NAME]}" stands more than once')], schema)
    known = {*schema.names, *schema.ignored}
    missing = [name for name in schema.names if name in schema.required and name not in set(names)]
    unknown = sorted(name for name in names if name not in known)
    if schema.document.get("additionalProperties", True):
        unknown = []
    parts = [_listed("missing", missing), _listed("unknown", unknown)]
    if detail := "; ".join(part for part in parts if part):
        raise refusal([Problem(pointer, detail + _suggestion(missing, unknown))], schema)


def _listed(problem: str, names: Sequence[str]) -> str:
    if not names:
        return ""
    listed = ", ".join(f'"{name[:MAX_NAME]}"' for name in names[:MAX_PROBLEMS])
    more = f" and {len(names) - MAX_PROBLEMS} more" if len(names) > MAX_PROBLEMS else ""
    return f"{problem} {'column' if len(names) == 1 else 'columns'} {listed}{more}"


def _suggestion(missing: Sequence[str], unknown: Sequence[str]) -> str:
    if not missing or not unknown:
        return ""
    import difflib  # noqa: PLC0415  # for a refusal only

    near = difflib.get_close_matches(unknown[0][:MAX_NAME], missing, 1, SIMILAR)
    return f' (did you mean "{near[0]}"?)' if near else ""


def _faults(table: Table, columns: Sequence[Column]) -> list[Problem]:
    found: list[tuple[int, int, Problem]] = []
    for order, (feature, key, cells) in enumerate(columns):
        if _fits(cells, feature):
            continue
        for row in islice(_wrong(cells, feature), MAX_PROBLEMS):
            named = f'column "{feature.name[:MAX_NAME]}"' if not feature.name.isdigit() else f"column {feature.name}"
            detail = f"{named}, row {row}: expected {expected(feature)}, got {shown(cells[row])}"
            found.append((row, order, Problem(table.cell_pointer(row, key), detail)))
    return [problem for _, _, problem in sorted(found, key=lambda each: each[:2])[:MAX_PROBLEMS]]


def _wrong(cells: Sequence[Any], feature: Feature) -> Iterator[int]:
    return (row for row, cell in enumerate(cells) if not _fits((cell,), feature))


def _fits(cells: Sequence[Any], feature: Feature) -> bool:
    """Judge a whole column: what differs between its cells is looked at once."""
    if not feature.types:
        return True
    allowed = set[type]().union(*(TYPES[name] for name in feature.types if name in TYPES))
    if feature.truths and "number" in feature.types | {"number" if "integer" in feature.types else ""}:
        allowed.add(bool)
    kinds = set(map(type, cells))
    if not kinds <= allowed or (float in kinds and not _are_finite(cells, plain=kinds <= {int, float})):
        return False
    if not (feature.categories or feature.format in FORMATS or feature.others):
        return True
    return all(_fits_value(cell, feature) for cell in set(cells))


def _are_finite(cells: Sequence[Any], *, plain: bool) -> bool:
    """JSON can hold 1e999. A sum is several times as fast as a look at each cell, and infinite if one of them is."""
    numbers = cells if plain else [cell for cell in cells if type(cell) is float]
    try:
        if math.isfinite(sum(numbers)):
            return True
    except OverflowError:
        pass
    return not any(type(cell) is float and math.isinf(cell) for cell in numbers)


def _fits_value(cell: Any, feature: Feature) -> bool:
    if feature.categories and cell not in feature.categories:
        return False
    if cell is not None and feature.format in FORMATS and not _is_date(cell):
        return False
    if cell is not None and feature.others:
        import jsonschema_rs  # noqa: PLC0415  # 13 ms of the start, for schemas that narrow a feature

        return jsonschema_rs.is_valid(dict(feature.others), cell)
    return True


def _is_date(cell: Any) -> bool:
    try:
        datetime.fromisoformat(cell)
    except (TypeError, ValueError):
        return False
    return True


def expected(feature: Feature) -> str:
    """Say in words what a cell should be."""
    null = " or null" if "null" in feature.types else ""
    if feature.categories:
        listed = [json.dumps(value, ensure_ascii=False) for value in feature.categories if value is not None]
        more = f" and {len(listed) - MAX_CATEGORIES} more" if len(listed) > MAX_CATEGORIES else ""
        return f"one of {', '.join(listed[:MAX_CATEGORIES])}{more}{null}"
    if feature.format in FORMATS:
        return FORMATS[feature.format] + null
    named = feature.types - ({"boolean"} if "number" in feature.types else set())
    kinds = [EXPECTED[name] for name in ("number", "integer", "string", "boolean") if name in named]
    bounds = ", ".join(f"{name} {json.dumps(value)}" for name, value in feature.others.items())
    return " or ".join(kinds or ["null"]) + null + (f" ({bounds})" if bounds else "")
