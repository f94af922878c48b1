"""The lists that JSON requests hold: rows, records, and the instances of SageMaker's common data formats."""

from collections.abc import Iterable
from typing import Any, NoReturn

from predictor.errors import BadInputError, Fault, PayloadTooLargeError
from predictor.formats import labels
from predictor.formats.limits import check_rows
from predictor.inputs.conversion import wrong_cell
from predictor.inputs.schema import Schema
from predictor.inputs.validation import Table

NO_ROWS = "expected at least one row, got none"
SHOWN = 10
"""Names in a message."""
MAX_UNPACKED = 2**22
"""Cells that sparse instances may unpack to; a matrix sent as .npz may hold more."""


def from_lists(rows: list[Any], base: str) -> list[list[Any]]:
    if not rows:
        refuse(NO_ROWS, base)
    check_rows(len(rows))
    for index, row in enumerate(rows):
        if not isinstance(row, list):
            refuse(f"row {index}: expected a list of cells, got {shown(row)}", f"{base}/{index}")
    return rows


def from_objects(items: list[Any], base: str, schema: Schema) -> Table:
    """Read rows, records, instances or single cells; all are of the first one's kind."""
    if not items:
        refuse(NO_ROWS, base)
    check_rows(len(items))
    if any(_is_vector(item) for item in items):
        return _vectors(items, base, schema)
    match items[0]:
        case list():
            return Table(from_lists(items, base), None, (f"{base}/", "/"))
        case dict():
            return _records(items, base, schema)
        case _:
            return Table([[item] for item in items], None, (f"{base}/", "/"))


def refuse(detail: str, pointer: str) -> NoReturn:
    """Refuse the form of a body, in the words of the function in front of the container."""
    raise BadInputError(f"The body is not what the model takes: {detail}.", Fault(pointer, detail))


def shown(value: Any) -> str:
    """A value as a message names it."""
    if isinstance(value, bool):
        return str(value).lower()
    kinds = {dict: "an object", list: "a list", type(None): "null"}
    return kinds.get(type(value)) or (f'"{value[:40]}"' if isinstance(value, str) else str(value)[:40])


def expect(value: Any, kind: type, pointer: str, expected: str) -> Any:
    if not isinstance(value, kind):
        refuse(f"expected {expected}, got {shown(value)}", pointer)
    return value


def refuse_unknown(document: dict[str, Any], known: tuple[str, ...], base: str) -> None:
    for name in document:
        if name not in known:
            refuse(f"unknown field; known are {', '.join(known)}", f"{base}/{escaped(name)}")


def escaped(step: str) -> str:
    """Write one step of a JSON Pointer."""
    return step[:80].replace("~", "~0").replace("/", "~1")


def from_record(record: dict[str, Any], base: str, schema: Schema) -> Table:
    """Read a record that stands alone, where a list of them might."""
    return Table(*_in_order([record], tuple(record), base, schema), (base, "/"), by_name=True, single=True)


def _records(records: list[Any], base: str, schema: Schema) -> Table:
    columns = tuple(records[0])
    differ = False
    for index, record in enumerate(records):
        if not isinstance(record, dict):
            refuse(f"row {index}: expected an object, got {shown(record)}", f"{base}/{index}")
        differ = differ or record.keys() != records[0].keys()
    if differ:
        columns = _all_columns(records, base, schema)
    return Table(*_in_order(records, columns, base, schema), (f"{base}/", "/"), by_name=True)


def _in_order(
    records: list[Any], columns: tuple[str, ...], base: str, schema: Schema
) -> tuple[list[list[Any]], labels.Names | None]:
    """Cells and names; the names 0 to n-1 are positions for a model that has none."""
    names = labels.names(columns if schema.names else labels.counted(columns), schema, base)
    order = columns if names else labels.counted(columns)
    return [[record.get(column) for column in order] for record in records], names


def _all_columns(records: list[Any], base: str, schema: Schema) -> tuple[str, ...]:
    """Names of the columns of records that lack some of them: a cell may lack where it may be missing.

    R's toJSON leaves out what is NA. Raises BadInputError that says which record lacks which column.
    """
    columns = dict.fromkeys(column for record in records for column in record)
    unknown = columns.keys() - {*schema.names, *schema.ignored}
    if schema.names and unknown:
        refuse(f"unknown {'column' if len(unknown) == 1 else 'columns'} {_quoted(unknown)}", f"{base}/0")
    nullable = {name for index, name in enumerate(schema.names) if not wrong_cell(None, schema.feature(index), None)}
    nullable |= schema.ignored
    lacking = 0
    for index, record in enumerate(records):
        lacks = columns.keys() - record.keys()
        if needed := lacks - nullable:
            detail = f"row {index}: missing {'column' if len(needed) == 1 else 'columns'} {_quoted(needed)}"
            refuse(detail, f"{base}/{index}")
        lacking += len(lacks)
        if lacking > MAX_UNPACKED:
            raise PayloadTooLargeError(f"Records may lack {MAX_UNPACKED} cells: send null, or rows as lists.")
    return tuple(columns)


def _quoted(names: Iterable[str]) -> str:
    listed = sorted(names)
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return ", ".join(f'"{name[:80]}"' for name in listed[:SHOWN]) + more


def _is_vector(item: Any) -> bool:
    """Whether this is an instance of the common data formats; another object is a record."""
    match item:
        case {"features": list()} | {"data": dict()}:
            return True
    return False


def _vectors(instances: list[Any], base: str, schema: Schema) -> Table:
    """Read dense and sparse instances and rows, also mixed; their "configuration" means nothing here."""
    cells: list[list[Any]] = []
    unpacked = 0
    for index, instance in enumerate(instances):
        pointer = f"{base}/{index}"
        vector = (
            instance if isinstance(instance, list) else _vector(expect(instance, dict, pointer, "an object"), pointer)
        )
        if isinstance(vector, dict):
            unpacked += _width(vector, pointer, schema)
            if unpacked > MAX_UNPACKED:
                raise PayloadTooLargeError(f"Sparse instances may unpack to {MAX_UNPACKED} cells: send a sparse .npz.")
            vector = _unpack(vector, pointer)
        cells.append(vector)
    return Table(cells, None, (f"{base}/", "/data/features/values/" if "data" in instances[0] else "/features/"))


def _vector(instance: dict[str, Any], pointer: str) -> Any:
    """Find an instance's values: a list, or a sparse vector's object."""
    if "data" not in instance:
        refuse_unknown(instance, ("features", "configuration"), pointer)
        return expect(instance.get("features"), list, f"{pointer}/features", "a list of cells")
    refuse_unknown(instance, ("data", "configuration"), pointer)
    data = expect(instance["data"], dict, f"{pointer}/data", "an object")
    refuse_unknown(data, ("features",), f"{pointer}/data")
    element = data.get("features")
    if isinstance(element, list):
        return element
    pointer = f"{pointer}/data/features"
    expect(element, dict, pointer, "a list of cells, or an object with values")
    refuse_unknown(element, ("values", "keys", "shape"), pointer)
    values = expect(element.get("values"), list, f"{pointer}/values", "a list of cells")
    return element if "keys" in element else values


def _width(vector: dict[str, Any], pointer: str, schema: Schema) -> int:
    """Length of a sparse vector, checked before anything of that length is made."""
    match vector.get("shape"):
        case [int(width)] if width > 0 and schema.width in {None, width}:
            return width
    expected = f"[{schema.width}]" if schema.width else "the number of features"
    detail = f"expected {expected}"
    raise BadInputError(f"Wrong shape of a sparse vector: {detail}.", Fault(f"{pointer}/data/features/shape", detail))


def _unpack(vector: dict[str, Any], pointer: str) -> list[Any]:
    width, values = vector["shape"][0], vector["values"]
    pointer = f"{pointer}/data/features/keys"
    keys = expect(vector["keys"], list, pointer, "a list of positions")
    if len(keys) != len(values):
        raise BadInputError("A sparse vector needs as many keys as values.", Fault(pointer, f"expected {len(values)}"))
    row: list[Any] = [0.0] * width
    seen = set()
    for index, (key, value) in enumerate(zip(keys, values, strict=True)):
        if type(key) is not int or not 0 <= key < width:
            detail = f"expected a position from 0 to {width - 1}"
            raise BadInputError(f"Wrong key in a sparse vector: {detail}.", Fault(f"{pointer}/{index}", detail))
        if key in seen:
            detail = "expected each position once"
            raise BadInputError(f"Repeated key in a sparse vector: {detail}.", Fault(f"{pointer}/{index}", detail))
        seen.add(key)
        row[key] = value
    return row
