"""CSV: one line a row, comma-separated, quoted as RFC 4180 says, with or without a header.

The first line is a header when the content type says so (`text/csv; header=present`, or `absent`: RFC 4180, section 3),
else when one of its cells is the name of a feature, else when the model takes only numbers and no cell is one.
"""

import csv
import io
from math import nan
from typing import Any

import numpy as np
import numpy.typing as npt

from predictor.codecs_json import read_matrix
from predictor.errors import BadInputError
from predictor.media_types import MediaType
from predictor.rows import Request, Rows, Signature, choose_method
from predictor.table import Table, check_width, to_rows


def decode(body: bytes, media_type: MediaType, signature: Signature) -> Request:
    rows: Rows | None = _numbers(body, media_type, signature)
    if rows is None:
        rows = to_rows(_table(body, media_type, signature), signature)
    return Request(rows, choose_method(media_type.parameters.get("method"), signature))


def encode(predictions: npt.NDArray[Any]) -> bytes:
    """Write one line a row, without a header; NaN and infinities are `nan`, `inf` and `-inf`."""
    rows = predictions.reshape(len(predictions), -1).tolist()
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _numbers(body: bytes, media_type: MediaType, signature: Signature) -> npt.NDArray[np.float64] | None:
    """Read lines of numbers without a header, ten times as fast: written as JSON, they are one matrix or no JSON."""
    first = body.partition(b"\n")[0].decode(errors="replace").strip().split(",")
    lines = body.rstrip(b"\r\n").replace(b"\r\n", b"\n")
    if not signature.numeric or b"[" in lines or b"\r" in lines or _has_header(first, media_type, signature):
        return None
    matrix = read_matrix(b'{"data":[[' + lines.replace(b"\n", b"],[") + b"]]}")
    if matrix is None:
        return None
    check_width(matrix.rows.shape[1], signature, "/0")
    return matrix.rows


def _table(body: bytes, media_type: MediaType, signature: Signature) -> Table:
    rows = _parse(body)
    columns = None
    if rows and _has_header(rows[0], media_type, signature):
        columns = tuple(cell.strip() for cell in rows.pop(0))
    return Table(rows, columns, ("/", "/"), parse=_number)


def _parse(body: bytes) -> list[list[str]]:
    """Read the lines that are not empty."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        hint = " It looks compressed: send it as it is." if body.startswith(b"\x1f\x8b") else ""
        raise BadInputError(f"The body is not UTF-8, at byte {error.start}.{hint}") from None
    try:
        return [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error as error:
        raise BadInputError(f"The body is not CSV: {error}.") from None


def _has_header(first: list[str], media_type: MediaType, signature: Signature) -> bool:
    match media_type.parameters.get("header"):
        case "present":
            return True
        case "absent":
            return False
    cells = [cell.strip() for cell in first]
    if not set(cells).isdisjoint(signature.names):
        return True
    return signature.numeric and not any(map(_is_number, cells))


def _is_number(cell: str) -> bool:
    try:
        _number(cell)
    except ValueError:
        return False
    return True


def _number(cell: str) -> float:
    """Read a number; an empty cell is a missing one, and Python's 1_000 is none."""
    if not cell or cell.isspace():
        return nan
    if "_" in cell:
        raise ValueError
    return float(cell)
