"""The shapes of a JSON document: those that hold rows become a table, of others is said what they are.

The function in front of the container reads the same shapes and says the same (tests/refusals.py).
"""

import json
from typing import Any, NoReturn

from predictor.errors import BadInputError
from predictor.formats import labels
from predictor.formats.json_records import expect, from_lists, from_objects, from_record, refuse, refuse_unknown, shown
from predictor.inputs.schema import Schema
from predictor.inputs.validation import Table

ROW_FIELDS = ("data", "instances", "dataframe_split", "dataframe_records")
OPTIONS = ("columns", "index", "method")
"""Fields that are absent where they are null or an empty string: generated clients write them so."""
BY_COLUMN = (
    "This is a table by column, as pandas writes it by default. Send it by row: "
    'df.to_json(orient="records"), or df.to_dict("records") in Python.'
)
BY_INDEX = 'This is pandas\' orient="index". Send df.to_json(orient="records").'
TABLE_SCHEMA = 'This is pandas\' orient="table". Send df.to_json(orient="records").'
IN_A_STRING = (
    "This is JSON inside a JSON string. Send it encoded once: with requests, json=body for a dict, data=text for a str."
)
OTHERS = {
    "inputs": "`inputs` is MLflow's and TensorFlow's name for tensors.",
    "dataframe": "`dataframe` is not known.",
    "rows": "`rows` is not known.",
    "records": "`records` is not known.",
}


def read(document: Any, schema: Schema) -> tuple[Table, Any]:
    """Find the rows of a document, and the method that it asks for."""
    if isinstance(document, list):
        return _listed(document, "", schema), None
    if not isinstance(document, dict):
        if isinstance(document, str) and _holds_json(document):
            raise BadInputError(IN_A_STRING)
        refuse(f"expected an object or an array, got {shown(document)}", "")
    if _is_record(document, schema):
        method = None if "method" in schema.names else document.pop("method", None)
        return from_record(document, "", schema), None if method == "" else method
    fields = {name: value for name, value in document.items() if not (name in OPTIONS and value in (None, ""))}
    method = fields.pop("method", None)
    return _named(fields, schema), method


def _listed(items: list[Any], base: str, schema: Schema) -> Table:
    """Read rows or records, or the cells of a single row."""
    if not items or isinstance(items[0], list | dict):
        return from_objects(items, base, schema)
    return Table([items], None, (base, "/"), single=True)


def _is_record(document: dict[str, Any], schema: Schema) -> bool:
    """Whether every field is a cell, and some field is a feature or may be one."""
    fields = document.keys() - ({"method"} - set(schema.names))
    if not fields or any(isinstance(value, list | dict) for value in document.values()):
        return False
    if schema.names:
        return not set(labels.as_trained(tuple(fields), schema)).isdisjoint(schema.names)
    return fields.isdisjoint((*ROW_FIELDS, *OPTIONS))


def _named(document: dict[str, Any], schema: Schema) -> Table:
    """Read the object's one field that holds rows."""
    found = [name for name in ROW_FIELDS if name in document]
    if len(found) != 1:
        _refuse_shape(document, found, schema)
    name, value = found[0], document[found[0]]
    if name == "data":
        return _data(document, schema)
    refuse_unknown(document, (name, "method"), "")
    if name == "dataframe_split":
        return _split(expect(value, dict, "/dataframe_split", "an object"), "/dataframe_split", schema)
    return from_objects(expect(value, list, f"/{name}", "a list of rows"), f"/{name}", schema)


def _data(document: dict[str, Any], schema: Schema) -> Table:
    """Read `data`: rows, which may have `columns`, or records, or one of either."""
    match document:
        case {"schema": dict()}:
            raise BadInputError(TABLE_SCHEMA)
        case {"data": dict() as record}:
            if record and all(isinstance(value, dict | list) for value in record.values()):
                raise BadInputError(BY_COLUMN)
            refuse_unknown(document, ("data", "method"), "")
            return from_record(record, "/data", schema)
        case {"data": str() as text} if _holds_json(text):
            raise BadInputError(IN_A_STRING)
        case {"data": [dict(), *_] as records} if document.keys() == {"data"}:
            return from_objects(records, "/data", schema)
    return _split(document, "", schema)


def _split(document: dict[str, Any], base: str, schema: Schema) -> Table:
    """Read `data` with `columns`; pandas' `index` says nothing about the rows but how many there are."""
    refuse_unknown(document, ("data", "columns", "index", *(() if base else ("method",))), base)
    rows = expect(document.get("data"), list, f"{base}/data", "a list of rows")
    single = bool(rows) and not isinstance(rows[0], list | dict)
    rows = from_lists([rows] if single else rows, f"{base}/data")
    index = document.get("index")
    if isinstance(index, list) and len(index) != len(rows):
        refuse(f"expected one label a row, {len(rows)} in all, got {len(index)}", f"{base}/index")
    columns = document.get("columns")
    if columns is not None:
        expect(columns, list, f"{base}/columns", "a list of names")
        columns = labels.names(columns, schema, f"{base}/columns")
    return Table(rows, columns, (f"{base}/data", "/") if single else (f"{base}/data/", "/"), single=single)


def _holds_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False


def _is_by_column(document: dict[str, Any]) -> bool:
    """Whether all fields are columns: objects, or lists of cells."""
    values = list(document.values())
    return bool(values) and all(
        isinstance(value, dict) or (isinstance(value, list) and not any(isinstance(cell, list) for cell in value[:1]))
        for value in values
    )


def _refuse_shape(document: dict[str, Any], found: list[str], schema: Schema) -> NoReturn:
    """Say what an object is that has no field of rows, or several."""
    names = set(schema.names)
    values = list(document.values())
    told = next((text for name, text in OTHERS.items() if name in document), "")
    plain = not found and not told
    if plain and values and isinstance(values[0], dict) and not names.isdisjoint(values[0]):
        raise BadInputError(BY_INDEX)
    if plain and _is_by_column(document) and not (names and names.isdisjoint(document)):
        raise BadInputError(BY_COLUMN)
    if near := next((name for name in document if name.lower() in ROW_FIELDS and name not in ROW_FIELDS), ""):
        told = f"`{near}` is written `{near.lower()}`."
    expected = f"Expected exactly one of {', '.join(ROW_FIELDS)}, got {' and '.join(found) or 'none'}."
    hint = "" if found else 'Send the rows as {"data": [...]}.'
    raise BadInputError(" ".join(part for part in (told, expected, hint) if part))
