"""CSV: one line a row, comma-separated, quoted as RFC 4180 says, with or without a header.

The content type says whether the first line is a header (`text/csv; header=present`, or `absent`: RFC 4180, section 3).
Where it does not, a line of the model's column names is one. A line that may be either is refused, for a wrong guess
would lose a row, or answer for a header. Every other line is a row: an empty one has one missing cell.
"""

import csv
import io
import json
import re
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from predictor.errors import BadInputError, Fault
from predictor.formats import labels, looks
from predictor.formats.csv_header import has_header
from predictor.formats.limits import LIMITS, check_rows
from predictor.formats.matrix import read_matrix
from predictor.formats.media_types import MediaType
from predictor.formats.plain import finite, plain
from predictor.inputs.conversion import WRONG, convert, number
from predictor.inputs.rows import Columns, DecodedRequest, Rows, choose_method
from predictor.inputs.schema import Schema
from predictor.inputs.validation import Table, check_width, column_order, to_rows

COUNTED = re.compile(rb"\s*0\s*,\s*1\s*[,\r\n]")
"""The beginning of what may be pandas' header of a table without names."""
BOM = b"\xef\xbb\xbf"
COMMA, NEWLINE = b",\n"
MANY = 4096
"""Bytes of a body from which on the cells are split at once."""
LATE_QUOTE = re.compile(rb'(^|[,\n])[ \t]+"')


def decode(body: bytes, media_type: MediaType, schema: Schema) -> DecodedRequest:
    try:
        rows: Rows | None = _numbers(body, media_type, schema) if schema.numeric else _split(body, media_type, schema)
        if rows is None:
            rows = to_rows(_table(body, media_type, schema), schema)
    except BadInputError as error:
        if hint := looks.of_csv(body, schema):
            raise BadInputError(f"{hint} {error.detail}", *error.errors) from None
        raise
    return DecodedRequest(rows, choose_method(media_type.parameters.get("method") or None, schema))


def encode(predictions: npt.NDArray[Any]) -> bytes:
    """Write one line a row, without a header; NaN and infinities are `nan`, `inf` and `-inf`, a missing value is empty.

    CSV has no way to write half a surrogate pair: it becomes U+FFFD.
    """
    table = predictions.reshape(len(predictions), -1)
    rows = table.tolist() if table.dtype.kind in "fiubU" else [list(map(_cell, row)) for row in plain(table)]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    try:
        return text.getvalue().encode()
    except UnicodeEncodeError:
        return text.getvalue().encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def _cell(value: Any) -> Any:
    """A list or an object within a row is JSON in a cell."""
    return json.dumps(finite(value), ensure_ascii=False) if isinstance(value, list | dict) else value


def _numbers(body: bytes, media_type: MediaType, schema: Schema) -> npt.NDArray[np.float64] | None:
    """Read lines of numbers ten times as fast: written as JSON, they are one matrix or no JSON."""
    if b"[" in body:
        return None
    told = media_type.parameters.get("header")
    if told != "absent" and COUNTED.match(body):
        return None
    columns = None
    if told == "present" or (schema.names and told != "absent" and _names_a_column(body, schema)):
        head, _, body = body.partition(b"\n")
        columns = _header(head, body, media_type, schema)
        if columns is None:
            return None
    lines = _lines(body)
    matrix = None if b"\r" in lines else read_matrix(b'{"data":[[' + lines.replace(b"\n", b"],[") + b"]]}")
    if matrix is None:
        return None
    order = column_order(columns if schema.names else None, matrix.rows.shape[1], schema)
    if order is None:
        check_width(matrix.rows.shape[1], schema, "/0")
    return matrix.rows if order is None else matrix.rows[:, order]


def _split(body: bytes, media_type: MediaType, schema: Schema) -> Columns | None:
    """Read many lines without quotes twice as fast: as one list of cells, of which a column is every so many."""
    told = media_type.parameters.get("header")
    if len(body) < MANY or not schema.names or told != "present" or b'"' in body or body.startswith(BOM):
        return None
    head, _, rest = body.partition(b"\n")
    lines = _lines(rest)
    width = head.count(b",") + 1
    marks = np.frombuffer(lines + b"\n", np.uint8)
    marks = marks[(marks == COMMA) | (marks == NEWLINE)]
    if b"\r" in lines or width == 1 or len(marks) % width:
        return None
    ends = marks.reshape(-1, width)[:, -1]
    if np.count_nonzero(marks == NEWLINE) != len(ends) or (ends != NEWLINE).any():
        return None
    check_rows(len(ends))
    try:
        columns = _columns(head.removesuffix(b"\r").decode().split(","), schema)
        cells = lines.decode().replace("\n", ",").split(",")
        order = column_order(columns, width, schema) or range(width)
        arrays = [convert(cells[index::width], schema.feature(at), number) for at, index in enumerate(order)]
    except (BadInputError, *WRONG):
        return None  # line by line, what is wrong can be said
    return Columns(tuple(arrays), schema.names)


def _lines(body: bytes) -> bytes:
    """Lines with one kind of end, and none behind the last."""
    return body.removesuffix(b"\n").removesuffix(b"\r").replace(b"\r\n", b"\n")


def _header(head: bytes, rest: bytes, media_type: MediaType, schema: Schema) -> labels.Names | None:
    """Read a first line without quotes or carriage returns; None where it is none, or no header."""
    head = head.removesuffix(b"\r")
    if b'"' in head or b"\r" in head:
        return None
    (first,) = _parse(head) or [[]]
    second = rest.partition(b"\n")[0].decode(errors="replace").split(",") if rest else []
    return _columns(first, schema) if has_header(first, second, media_type, schema) else None


def _names_a_column(body: bytes, schema: Schema) -> bool:
    first = body.partition(b"\n")[0].decode("utf-8-sig", errors="replace").split(",")
    return not {cell.strip() for cell in first}.isdisjoint(schema.names)


def _table(body: bytes, media_type: MediaType, schema: Schema) -> Table:
    rows = _parse(body)
    columns = None
    if rows and has_header(rows[0], rows[1] if len(rows) > 1 else [], media_type, schema):
        columns = _columns(rows.pop(0), schema)
    if 1 in {schema.width, len(columns or (rows or [[]])[0])}:
        rows = [row or [""] for row in rows]
    elif [] in rows:
        fault = Fault(f"/{rows.index([])}", "the line is empty")
        raise BadInputError("A line is empty: every line is a row.", fault)
    check_rows(len(rows))
    takes_names = bool(schema.names) or schema.own_code
    return Table(rows, columns if takes_names else None, ("/", "/"), parse=number)


def _columns(first: list[str], schema: Schema) -> labels.Names:
    return labels.as_trained(first, schema)


def _parse(body: bytes) -> list[list[str]]:
    """Read all lines, or one more than a request may have; an empty one has no cells."""
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise BadInputError(f"The body is not UTF-8, at byte {error.start}.") from None
    try:
        rows = list(islice(_reader(body), LIMITS.rows + 2))
        if LATE_QUOTE.search(body):
            _refuse_late_quotes(rows, body)
    except csv.Error as error:
        raise BadInputError(f"The body is not CSV: {error}.") from None
    return rows


def _reader(body: bytes) -> Any:
    text = io.TextIOWrapper(io.BytesIO(body), encoding="utf-8-sig", newline="")
    return csv.reader(text, strict=True)


def _refuse_late_quotes(rows: list[list[str]], body: bytes) -> None:
    """Refuse a quote after a blank: it would be a part of the cell, and the cell would be no known category."""
    without = _reader(LATE_QUOTE.sub(rb'\1"', body))
    for index, (row, other) in enumerate(zip(rows, without, strict=False)):
        for column, cell in enumerate(row):
            if cell.lstrip().startswith('"') and (len(other) <= column or other[column] != cell):
                raise BadInputError(
                    f"Line {index + 1}, cell {column + 1} has a quote after a blank: write it without the blank."
                )
