"""The lists that JSON requests hold: rows, records, and the instances of SageMaker's common data formats."""

from typing import Any

from predictor.errors import BadInputError, Fault, PayloadTooLargeError
from predictor.inputs.rows import Signature
from predictor.inputs.validation import Table

MAX_UNPACKED = 2**22
"""Cells that sparse instances may unpack to; a matrix sent as .npz may hold more."""


def from_lists(rows: list[Any], base: str) -> list[list[Any]]:
    for index, row in enumerate(rows):
        expect(row, list, f"{base}/{index}", "a list of cells")
    return rows


def from_objects(items: list[Any], base: str, signature: Signature) -> Table:
    """Read rows, records, instances or single cells; all are of the first one's kind."""
    if not items:
        raise BadInputError("Expected at least one row, got none.", Fault(base, "the list is empty"))
    if any(_is_vector(item) for item in items):
        return _vectors(items, base, signature)
    match items[0]:
        case list():
            return Table(from_lists(items, base), None, (f"{base}/", "/"))
        case dict():
            return _records(items, base)
        case _:
            return Table([[item] for item in items], None, (f"{base}/", "/"))


def expect(value: Any, kind: type, pointer: str, expected: str) -> Any:
    if not isinstance(value, kind):
        shown = {dict: "an object", list: "a list", str: "a string", type(None): "null"}.get(
            type(value), str(value)[:40]
        )
        detail = f"expected {expected}, got {shown}"
        raise BadInputError(f"The body has the wrong form: {detail} at {pointer}.", Fault(pointer, detail))
    return value


def refuse_unknown(document: dict[str, Any], known: tuple[str, ...], base: str) -> None:
    for name in document:
        if name not in known:
            detail = f"unknown field; known are {', '.join(known)}"
            raise BadInputError(f'Unknown field "{name[:80]}".', Fault(f"{base}/{name[:80]}", detail))


def _records(records: list[Any], base: str) -> Table:
    columns = tuple(records[0])
    for index, record in enumerate(records):
        expect(record, dict, f"{base}/{index}", "an object")
        if record.keys() != records[0].keys():
            differ = ", ".join(sorted(f'"{name[:80]}"' for name in record.keys() ^ records[0].keys()))
            detail = f"expected the columns of record 0; these differ: {differ}"
            raise BadInputError(f"Records have different columns: {differ}.", Fault(f"{base}/{index}", detail))
    cells = [[record[column] for column in columns] for record in records]
    return Table(cells, columns, (f"{base}/", "/"), by_name=True)


def _is_vector(item: Any) -> bool:
    """Whether this is an instance of the common data formats; another object is a record."""
    match item:
        case {"features": list()} | {"data": dict()}:
            return True
    return False


def _vectors(instances: list[Any], base: str, signature: Signature) -> Table:
    """Read dense and sparse instances and rows, also mixed; their "configuration" means nothing here."""
    cells: list[list[Any]] = []
    unpacked = 0
    for index, instance in enumerate(instances):
        pointer = f"{base}/{index}"
        vector = (
            instance if isinstance(instance, list) else _vector(expect(instance, dict, pointer, "an object"), pointer)
        )
        if isinstance(vector, dict):
            unpacked += _width(vector, pointer, signature)
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


def _width(vector: dict[str, Any], pointer: str, signature: Signature) -> int:
    """Length of a sparse vector, checked before anything of that length is made."""
    match vector.get("shape"):
        case [int(width)] if width > 0 and signature.features in {None, width}:
            return width
    expected = f"[{signature.features}]" if signature.features else "the number of features"
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
