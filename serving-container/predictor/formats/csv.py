"""CSV: one line a row, comma-separated, quoted as RFC 4180 says, with or without a header.

The content type says whether the first line is a header (`text/csv; header=present`, or `absent`: RFC 4180, section 3).
Where it does not, a line of the model's column names is one. A line that may be either is refused, for a wrong guess
would lose a row, or answer for a header. Every other line is a row: an empty one has one missing cell.
"""

import csv
import io
from typing import Any

import numpy as np
import numpy.typing as npt

from predictor.errors import BadInputError, Fault
from predictor.formats.json import read_matrix
from predictor.formats.media_types import MediaType
from predictor.inputs.conversion import number, wrong_cell
from predictor.inputs.rows import DecodedRequest, Rows, Signature, choose_method
from predictor.inputs.validation import Table, check_width, column_order, to_rows

TELL = 'Say whether it is a header: "text/csv; header=present", or "text/csv; header=absent".'
AMBIGUOUS = "expected a header or a row, got what may be either"
NO_NUMBERS = "expected a row of numbers, got none"


def decode(body: bytes, media_type: MediaType, signature: Signature) -> DecodedRequest:
    rows: Rows | None = _numbers(body, media_type, signature)
    if rows is None:
        rows = to_rows(_table(body, media_type, signature), signature)
    return DecodedRequest(rows, choose_method(media_type.parameters.get("method"), signature))


def encode(predictions: npt.NDArray[Any]) -> bytes:
    """Write one line a row, without a header; NaN and infinities are `nan`, `inf` and `-inf`."""
    rows = predictions.reshape(len(predictions), -1).tolist()
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _numbers(body: bytes, media_type: MediaType, signature: Signature) -> npt.NDArray[np.float64] | None:
    """Read lines of numbers without a header, ten times as fast: written as JSON, they are one matrix or no JSON."""
    if not signature.numeric or b"[" in body or media_type.parameters.get("header") == "present":
        return None
    if signature.names and _names_a_column(body, signature):
        return None
    lines = body.removesuffix(b"\n").removesuffix(b"\r").replace(b"\r\n", b"\n")
    matrix = None if b"\r" in lines else read_matrix(b'{"data":[[' + lines.replace(b"\n", b"],[") + b"]]}")
    if matrix is None or matrix.rows.shape[1] == len(signature.trained):
        return None
    check_width(matrix.rows.shape[1], signature, "/0")
    return matrix.rows


def _names_a_column(body: bytes, signature: Signature) -> bool:
    first = body.partition(b"\n")[0].decode(errors="replace").split(",")
    return not {cell.strip() for cell in first}.isdisjoint(signature.names)


def _table(body: bytes, media_type: MediaType, signature: Signature) -> Table:
    rows = _parse(body)
    columns = None
    if rows and _has_header(rows[0], media_type, signature):
        columns = tuple(cell.strip() for cell in rows.pop(0))
    if 1 in {signature.features, len(columns or (rows or [[]])[0])}:
        rows = [row or [""] for row in rows]
    elif [] in rows:
        fault = Fault(f"/{rows.index([])}", "the line is empty")
        raise BadInputError("A line is empty: every line is a row.", fault)
    takes_names = bool(signature.names) or signature.own_code
    return Table(rows, columns if takes_names else None, ("/", "/"), parse=number)


def _parse(body: bytes) -> list[list[str]]:
    """Read all lines; an empty one has no cells."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        hint = " It looks compressed: send it as it is." if body.startswith(b"\x1f\x8b") else ""
        raise BadInputError(f"The body is not UTF-8, at byte {error.start}.{hint}") from None
    try:
        return list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise BadInputError(f"The body is not CSV: {error}.") from None


def _has_header(first: list[str], media_type: MediaType, signature: Signature) -> bool:
    """Whether the first line is a header; raises BadInputError when it may be one, or a row as well."""
    told = {"present": True, "absent": False}.get(media_type.parameters.get("header", ""))
    if told is not None:
        return told
    cells = [cell.strip() for cell in first]
    nothing_numeric = all(map(_is_word, cells))
    if not signature.names:
        if signature.numeric and cells and nothing_numeric:
            raise BadInputError(f"The first line is no row: the model takes numbers. {TELL}", Fault("/0", NO_NUMBERS))
        return False
    columns, used = {*signature.names, *signature.ignored}, set(signature.names)
    is_header = len(set(cells)) == len(cells) and used.issubset(cells) and columns.issuperset(cells)
    is_row = _may_be_row(first, signature)
    if is_header and is_row:
        raise BadInputError(f"The first line is a row as well as a header. {TELL}", Fault("/0", AMBIGUOUS))
    # What is neither is refused: as a header that differs, where it looks like one, or else as a row.
    return is_header or (not is_row and (nothing_numeric or not columns.isdisjoint(cells)))


def _may_be_row(first: list[str], signature: Signature) -> bool:
    """Whether a model may be meant to take these cells; a name is none where it is known not to be."""
    order = column_order(None, len(first), signature) or range(len(first))
    if signature.features not in {None, len(order)}:
        return False
    for feature, cell in enumerate(first[index] for index in order):
        if wrong_cell(cell, feature, signature, number):
            return False
        closed = signature.own_code or feature in signature.unlike_names | signature.unknown
        if closed and cell.strip() in signature.names and _is_word(cell):
            return False
    return True


def _is_word(cell: str) -> bool:
    """Whether a cell is something, and no number."""
    try:
        number(cell)
    except ValueError:
        return True
    except OverflowError:
        return False
    return False
