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

import io
import json
import re
from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from predictor.errors import BadInputError
from predictor.formats import json_documents, labels, looks
from predictor.formats.json_records import from_objects
from predictor.formats.limits import LIMITS, check_lists, check_rows
from predictor.formats.matrix import ZEROS, read_matrix
from predictor.formats.media_types import MediaType
from predictor.formats.plain import finite, plain
from predictor.inputs.rows import DecodedRequest, choose_method
from predictor.inputs.schema import Schema
from predictor.inputs.validation import check_width, column_order, to_rows

LARGEST = 8
"""Bytes of the largest number that orjson writes from memory."""
LONG = b"0" * 20
"""As many as one of more than 64 bits has, of which orjson makes a double."""
DIGITS = 308
"""Those of the largest double."""
LINE = re.compile(rb"[^\s][^\n]*")
LEVELS = 5
"""Objects inside each other in the deepest form that is read: instances."""


def decode(body: bytes, media_type: MediaType, schema: Schema) -> DecodedRequest:
    asked = media_type.parameters.get("method") or None
    if schema.numeric and (matrix := read_matrix(body)) is not None:
        columns = None if matrix.columns is None else labels.names(matrix.columns, schema, "/columns")
        order = column_order(columns, matrix.rows.shape[1], schema)
        if order is None:
            check_width(matrix.rows.shape[1], schema, "/data/0")
        rows = matrix.rows if order is None else matrix.rows[:, order]
        return DecodedRequest(rows, choose_method(matrix.method or asked, schema))
    check_lists(body)
    table, method = json_documents.read(_parse(body), schema)
    return DecodedRequest(to_rows(table, schema), choose_method(asked if method is None else method, schema))


def decode_lines(body: bytes, media_type: MediaType, schema: Schema) -> DecodedRequest:
    check_lists(body)
    if body.count(b"\n") >= LIMITS.rows:
        check_rows(sum(1 for _ in LINE.finditer(body)))
    lines = [
        _parse(line, f"Line {number}") for number, line in enumerate(io.BytesIO(body), 1) if line and not line.isspace()
    ]
    table = from_objects(lines, "", schema)
    return DecodedRequest(to_rows(table, schema), choose_method(media_type.parameters.get("method") or None, schema))


def encode(predictions: npt.NDArray[Any]) -> bytes:
    return dump({"predictions": _numbers(predictions)})


def encode_lines(predictions: npt.NDArray[Any]) -> bytes:
    """One line a row, as batch transform needs it."""
    return b"".join(dump({"prediction": row}) + b"\n" for row in _numbers(predictions))


def _parse(body: bytes, what: str = "The body") -> Any:
    """Read JSON; NaN, infinities and numbers beyond a double are no JSON."""
    try:
        document = orjson.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise BadInputError(f"{what} is not JSON: {error}. {looks.of_json(body, error.pos)}") from None
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


def _numbers(predictions: npt.NDArray[Any]) -> Any:
    """What orjson writes: numbers straight from memory, everything else as Python values."""
    if predictions.dtype.kind in "fiub" and predictions.dtype.isnative and predictions.dtype.itemsize <= LARGEST:
        return np.ascontiguousarray(predictions)
    return predictions.tolist() if predictions.dtype.kind not in "Mm" else plain(predictions)


def dump(value: object) -> bytes:
    """Write JSON; NaN and infinities become null, for JSON has none."""
    try:
        return orjson.dumps(value, default=plain, option=orjson.OPT_SERIALIZE_NUMPY)
    except TypeError:  # half a surrogate pair, a number of more than 64 bits, keys that are no text
        return json.dumps(finite(plain(value)), allow_nan=False, separators=(",", ":")).encode()
