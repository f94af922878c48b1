"""JSON and JSON Lines, in every shape that SageMaker's clients send.

    [[1, 2], [3, 4]]    [1, 2]    [{"a": 1, "b": 2}]                        a list of rows, one row, records
    {"data": [[1, 2]], "columns": ["a", "b"]}                               this API's own; pandas' "split" has an index
    {"dataframe_split": {...}}    {"dataframe_records": [...]}              MLflow's names for split and records
    {"instances": [[1, 2]]}    {"instances": [{"a": 1, "b": 2}]}            rows, records
    {"instances": [{"features": [1, 2]}]}                                   SageMaker's common data formats, dense
    {"instances": [{"data": {"features": {"values": [1, 2]}}}]}             the same, long
    {"instances": [{"data": {"features": {"keys": [1], "shape": [9], "values": [7]}}}]}    and sparse

Every object may also hold "method". JSON Lines hold one row, record or instance a line.
Source: docs.aws.amazon.com/sagemaker/latest/dg/cdf-inference.html
"""

import json
from collections import Counter
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import orjson
import simdjson

from predictor.errors import BadInputError, Fault, NotAcceptableError
from predictor.formats.json_records import expect, from_lists, from_objects, refuse_unknown
from predictor.formats.media_types import MediaType
from predictor.inputs.conversion import EXACT
from predictor.inputs.rows import DecodedRequest, Signature, choose_method
from predictor.inputs.validation import Table, check_width, column_order, to_rows

VALID = " Valid JSON has double quotes, and `null` instead of NaN."
MATRIX_FIELDS = frozenset({"data", "columns", "method"})
ROW_FIELDS = ("data", "instances", "dataframe_split", "dataframe_records")
DOUBLE = np.dtype(np.float64)
SHORT = 1000
"""Bytes of a body that Python goes through faster than NumPy does."""
ZEROS = bytes(ord("0") if chr(byte).isdigit() and byte < ord(":") else min(byte, 1) for byte in range(256))
"""Makes every digit a zero, and all else something else."""
BRACKET = ord("[")
ROUNDED = b"0" * 16
"""As many digits as a whole number has that a double may not hold."""
LONG = b"0" * 20
"""As many as one of more than 64 bits has, of which orjson makes a double."""
DIGITS = 308
"""Those of the largest double."""
LEVELS = 5
"""Objects inside each other in the deepest form that is read: instances."""


def decode(body: bytes, media_type: MediaType, signature: Signature) -> DecodedRequest:
    if signature.numeric and (matrix := read_matrix(body)) is not None:
        order = column_order(matrix.columns, matrix.rows.shape[1], signature)
        if order is None:
            check_width(matrix.rows.shape[1], signature, "/data/0")
        rows = matrix.rows if order is None else matrix.rows[:, order]
        return DecodedRequest(rows, choose_method(matrix.method or media_type.parameters.get("method"), signature))
    return _request(_parse(body), media_type, signature)


def decode_lines(body: bytes, media_type: MediaType, signature: Signature) -> DecodedRequest:
    lines = [_parse(line, f"Line {number}") for number, line in enumerate(body.split(b"\n"), 1) if line.strip()]
    table = from_objects(lines, "", signature)
    return DecodedRequest(to_rows(table, signature), choose_method(media_type.parameters.get("method"), signature))


def encode(predictions: npt.NDArray[Any]) -> bytes:
    return _dump({"predictions": _plain(predictions)})


def encode_lines(predictions: npt.NDArray[Any]) -> bytes:
    """One line a row, as batch transform needs it."""
    return b"".join(_dump({"prediction": row}) + b"\n" for row in predictions.tolist())


class Matrix(NamedTuple):
    """A body of this API's own form, where all cells are finite numbers."""

    rows: npt.NDArray[np.float64]
    columns: list[str] | None
    method: str | None


def read_matrix(body: bytes) -> Matrix | None:
    """Read `{"data": [[number, ...], ...]}`, three times as fast as through Python numbers; None for anything else.

    simdjson refuses every cell that is no finite number. It would flatten a list inside a row, so lists are counted:
    one for the data, one a row and one for the columns leave none to hide.
    """
    try:
        document: Any = simdjson.Parser().parse(body)
        fields = list(document)
        data = document["data"]
        columns, method = (None, None) if len(fields) == 1 else _other_fields(document, fields)
        lengths = set(map(len, data))
        lists = 1 + len(data) + (columns is not None)
        if len(lengths) != 1 or 0 in lengths or _lists(body) != lists:
            return None
        rows = np.ndarray((len(data), lengths.pop()), DOUBLE, data.as_buffer(of_type="d"))
        if (len(body) >= SHORT or ROUNDED in body.translate(ZEROS)) and _are_large(rows):
            return None
    except (AttributeError, KeyError, TypeError, ValueError, RuntimeError):  # an object has no as_buffer
        return None
    return Matrix(rows, columns, method)


def _lists(body: bytes) -> int:
    """Lists in a body, and brackets in its strings."""
    return body.count(b"[") if len(body) < SHORT else int(np.count_nonzero(np.frombuffer(body, np.uint8) == BRACKET))


def _are_large(rows: npt.NDArray[np.float64]) -> bool:
    """Whether there may be whole numbers that a double does not hold."""
    return bool(np.maximum.reduce(rows, None) >= EXACT or np.minimum.reduce(rows, None) <= -EXACT)


def _other_fields(document: Any, fields: list[str]) -> tuple[list[str] | None, str | None]:
    """Columns and method; raises ValueError when there are other fields, a field twice, or of another type."""
    columns = document["columns"].as_list() if "columns" in fields else None
    method = document["method"] if "method" in fields else None
    known = MATRIX_FIELDS.issuperset(fields) and len(fields) == len(set(fields))
    if not (known and isinstance(method, str | None) and all(isinstance(column, str) for column in columns or ())):
        raise ValueError
    return columns, method


def _parse(body: bytes, what: str = "The body") -> Any:
    """Read JSON; NaN, infinities and numbers beyond a double are no JSON."""
    try:
        document = orjson.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        hint = " It looks compressed: send it as it is." if body.startswith(b"\x1f\x8b") else VALID
        raise BadInputError(f"{what} is not JSON: {error}.{hint}") from None
    # A name stands before each colon, unless that is in a string.
    if _names(document, LEVELS) != body.count(b":") or LONG in body.translate(ZEROS):
        _read_strictly(body, what)
    return document


def _names(value: Any, levels: int) -> int:
    """Names in a document, where rows may have them: those of a repeated name are too few."""
    if isinstance(value, dict):
        return len(value) + (sum(_names(inner, levels - 1) for inner in value.values()) if levels else 0)
    records = isinstance(value, list) and value and isinstance(value[0], dict)
    return sum(_names(inner, levels - 1) for inner in value) if records and levels else 0


def _read_strictly(body: bytes, what: str) -> None:
    """Refuse names that stand twice in an object, and whole numbers beyond 64 bits that a double does not hold."""
    try:
        json.loads(body.decode("utf-8-sig"), object_pairs_hook=_unique, parse_int=_exact)
    except RecursionError:
        raise BadInputError(f"{what} is nested too deeply.") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        name, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise BadInputError(f'The name "{name[:80]}" stands more than once in an object.')
    return fields


def _exact(digits: str) -> int:
    if len(digits) > DIGITS or int(float(digits)) != int(digits):
        raise BadInputError(f"The number {digits[:40]} is none that a 64-bit float holds exactly.")
    return int(digits)


def _request(document: Any, media_type: MediaType, signature: Signature) -> DecodedRequest:
    method = media_type.parameters.get("method")
    if isinstance(document, list):
        scalars = document and not isinstance(document[0], list | dict)
        table = from_objects([document] if scalars else document, "", signature)
    elif isinstance(document, dict):
        method = document.pop("method", method)
        table = _named(document, signature)
    else:
        raise BadInputError("Expected a JSON object or array.", Fault("", "expected an object or an array"))
    return DecodedRequest(to_rows(table, signature), choose_method(method, signature))


def _named(document: dict[str, Any], signature: Signature) -> Table:
    """Read the object's one field that holds rows."""
    found = [name for name in ROW_FIELDS if name in document]
    if len(found) != 1:
        raise BadInputError(f"Expected exactly one of {', '.join(ROW_FIELDS)}, got {' and '.join(found) or 'none'}.")
    name, value = found[0], document[found[0]]
    if name == "data":
        return _split(document, "")
    refuse_unknown(document, (name, "method"), "")
    if name == "dataframe_split":
        return _split(expect(value, dict, "/dataframe_split", "an object"), "/dataframe_split")
    return from_objects(expect(value, list, f"/{name}", "a list of rows"), f"/{name}", signature)


def _split(document: dict[str, Any], base: str) -> Table:
    """Read `data` with `columns`; pandas' `index` says nothing about the rows."""
    refuse_unknown(document, ("data", "columns", "index", *(() if base else ("method",))), base)
    rows = from_lists(expect(document.get("data"), list, f"{base}/data", "a list of rows"), f"{base}/data")
    columns = document.get("columns")
    if columns is None:
        return Table(rows, None, (f"{base}/data/", "/"))
    expect(columns, list, f"{base}/columns", "a list of names")
    for index, column in enumerate(columns):
        expect(column, str, f"{base}/columns/{index}", "a name")
    return Table(rows, tuple(columns), (f"{base}/data/", "/"))


def _plain(predictions: npt.NDArray[Any]) -> Any:
    """What orjson writes: numbers straight from memory, everything else as Python values."""
    plain = predictions.dtype.kind in "fiub" and predictions.dtype.isnative
    return np.ascontiguousarray(predictions) if plain else predictions.tolist()


def _dump(value: object) -> bytes:
    """Write JSON; NaN and infinities become null, for JSON has none."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
    except TypeError as error:
        raise NotAcceptableError(f"JSON cannot hold these predictions: {error}.") from None
