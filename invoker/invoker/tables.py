"""Every form in which a JSON body holds a table, read into one.

[[1, 2], [3, 4]]    [1, 2]    [{"a": 1, "b": 2}]    {"a": 1, "b": 2}     rows, one row, records, one record
{"data": any of these, "columns": [...], "index": [...], "method": ...}  this API's own, and pandas' split
{"dataframe_split": {...}}  {"dataframe_records": [...]}  {"instances": [...]}   names of MLflow and of SageMaker
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from invoker import strict_json
from invoker.errors import Failure, InvokerError, Problem

ROW_FIELDS = ("data", "instances", "dataframe_split", "dataframe_records")
MAX_NAME = 80
SHOWN = 40
KINDS = {dict: "an object", list: "a list", type(None): "null", bool: "a boolean", str: "a string"}
BY_COLUMN = (
    "This is a table by column, as pandas writes it by default. Send it by row: "
    'df.to_json(orient="records"), or df.to_dict("records") in Python.'
)
IN_A_STRING = (
    "This is JSON inside a JSON string. Send it encoded once: with requests, json=body for a dict, data=text for a str."
)
TABLE_SCHEMA = 'This is pandas\' orient="table". Send df.to_json(orient="records").'
OTHERS = {
    "inputs": "`inputs` is MLflow's and TensorFlow's name for tensors.",
    "dataframe": "`dataframe` is not known.",
    "rows": "`rows` is not known.",
    "records": "`records` is not known.",
}


@dataclass(frozen=True, slots=True)
class Table:
    """Rows as they came. `base` is the pointer of the list that holds them."""

    rows: Sequence[Any]
    by_name: bool
    columns: Sequence[Any] | None = None
    method: Any = None
    base: str = ""
    # Of one bare row or record the pointer has no number.
    single: bool = False
    # Whether rows are in a form that the container alone reads.
    foreign: bool = False

    def row_pointer(self, row: int) -> str:
        return self.base if self.single else f"{self.base}/{row}"

    def cell_pointer(self, row: int, column: object) -> str:
        return f"{self.row_pointer(row)}/{escaped(column)}"


def read(document: Any, names: Sequence[str]) -> Table:
    """Return the table; raise InvokerError when the document has none. `names` are those of the model's features."""
    if isinstance(document, str):
        _refuse_encoded_twice(document)
        raise refused(f"expected an object or an array, got {shown(document)}", "")
    if isinstance(document, list):
        return _listed(document, "")
    if not isinstance(document, dict):
        raise refused(f"expected an object or an array, got {shown(document)}", "")
    if _is_record(document, names):
        return _record(document, names, "")
    method = document.get("method") or None
    found = [name for name in ROW_FIELDS if name in document]
    if len(found) != 1:
        raise _without_rows(document, found, names)
    return _wrapped(document, found[0], method)


def _wrapped(document: Mapping[str, Any], name: str, method: Any) -> Table:
    value = document[name]
    if name == "dataframe_split":
        refuse_unknown(document, (name, "method"), "")
        if not isinstance(value, dict):
            raise refused(f"expected an object, got {shown(value)}", f"/{name}")
        return _split(value, f"/{name}", method)
    if name == "data":
        if "schema" in document and isinstance(document["schema"], dict):
            raise refused(TABLE_SCHEMA)
        if isinstance(value, dict):
            if _is_by_column(value):
                raise refused(BY_COLUMN)
            refuse_unknown(document, ("data", "method"), "")
            return Table([value], by_name=True, method=method, base="/data", single=True)
        return _split(document, "", method)
    refuse_unknown(document, (name, "method"), "")
    if not isinstance(value, list):
        raise refused(f"expected a list of rows, got {shown(value)}", f"/{name}")
    table = _listed(value, f"/{name}", bare=False)
    foreign = any(isinstance(row, dict) and is_vector(row) for row in value)
    return Table(table.rows, table.by_name, method=method, base=table.base, foreign=foreign)


def _split(document: Mapping[str, Any], base: str, method: Any) -> Table:
    refuse_unknown(document, ("data", "columns", "index", *(() if base else ("method",))), base)
    data = document.get("data")
    if isinstance(data, str):
        _refuse_encoded_twice(data)
    if not isinstance(data, list):
        raise refused(f"expected a list of rows, got {shown(data)}", f"{base}/data")
    table = _listed(data, f"{base}/data")
    columns, index = document.get("columns"), document.get("index")
    if columns is not None and not isinstance(columns, list):
        raise refused(f"expected a list of names, got {shown(columns)}", f"{base}/columns")
    if isinstance(index, list) and len(index) != len(table.rows):
        detail = f"expected one label a row, {len(table.rows)} in all, got {len(index)}"
        raise refused(detail, f"{base}/index")
    return Table(table.rows, table.by_name, columns, method, table.base, table.single)


def _listed(items: Sequence[Any], base: str, *, bare: bool = True) -> Table:
    if not items:
        raise refused("expected at least one row, got none", base)
    if isinstance(items[0], dict):
        return Table(items, by_name=True, base=base)
    # One bare row; a list of cells under another name is a list of rows of one cell.
    if bare and not any(isinstance(item, list | dict) for item in items):
        return Table([items], by_name=False, base=base, single=True)
    rows = items if bare else [row if isinstance(row, list) else [row] for row in items]
    return Table(rows, by_name=False, base=base)


def _is_record(document: Mapping[str, Any], names: Sequence[str]) -> bool:
    """Whether the object itself is one record: it has a feature's name, and plain cells only."""
    return not document.keys().isdisjoint(names) and not any(isinstance(v, list | dict) for v in document.values())


def _record(document: Mapping[str, Any], names: Sequence[str], base: str) -> Table:
    """Read one bare record; it may have a method beside its features."""
    if "method" in names:
        return Table([document], by_name=True, base=base, single=True)
    cells = {name: cell for name, cell in document.items() if name != "method"}
    return Table([cells], by_name=True, method=document.get("method") or None, base=base, single=True)


def _is_by_column(document: Mapping[str, Any]) -> bool:
    values = list(document.values())
    return bool(values) and all(isinstance(value, dict | list) for value in values)


def is_vector(item: Mapping[str, Any]) -> bool:
    """Whether this is an instance of SageMaker's common data formats."""
    return isinstance(item.get("features"), list) or isinstance(item.get("data"), dict)


def _without_rows(document: Mapping[str, Any], found: Sequence[str], names: Sequence[str]) -> InvokerError:
    columns = {name: value for name, value in document.items() if name != "method"}
    if not found and _is_by_column(columns) and (not names or not columns.keys().isdisjoint(names)):
        return refused(BY_COLUMN)
    told = next((text for name, text in OTHERS.items() if name in document), "")
    near = next((name for name in document if name.lower() in ROW_FIELDS and name not in ROW_FIELDS), "")
    if near:
        told = f"`{near}` is written `{near.lower()}`."
    expected = f"Expected exactly one of {', '.join(ROW_FIELDS)}, got {' and '.join(found) or 'none'}."
    hint = ' Send the rows as {"data": [...]}.' if not found else ""
    return refused(" ".join(part for part in (told, expected) if part) + hint)


def _refuse_encoded_twice(text: str) -> None:
    try:
        inner = strict_json.parse(text.encode(errors="replace"))
    except InvokerError:
        return
    if isinstance(inner, dict | list):
        raise refused(IN_A_STRING)


def refuse_unknown(document: Mapping[str, Any], known: Sequence[str], base: str) -> None:
    for name in document:
        if name not in known:
            raise refused(f"unknown field; known are {', '.join(known)}", f"{base}/{escaped(name)}")


def refused(detail: str, pointer: str | None = None) -> InvokerError:
    """Refuse the form of a body; with a pointer where it has a place."""
    return InvokerError(Failure.BAD_REQUEST, detail, [] if pointer is None else [Problem(pointer, detail)])


def shown(value: Any) -> str:
    """Name a value as a message does, cut short."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value[:SHOWN]}"' + ("..." if len(value) > SHOWN else "")
    return KINDS.get(type(value)) or str(value)[:SHOWN].removesuffix(".0")


def escaped(step: object) -> str:
    """Write one step of an RFC 6901 pointer."""
    return str(step)[:MAX_NAME].replace("~", "~0").replace("/", "~1")
