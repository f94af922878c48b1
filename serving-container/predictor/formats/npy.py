"""NumPy's .npy both ways.

A header is checked against the bytes that follow before anything is allocated, and objects (pickles) are refused by
their dtype before anything is read: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

import io
import math
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt

from predictor.errors import BadInputError, Fault, NotAcceptableError
from predictor.formats.limits import check_rows
from predictor.formats.media_types import MediaType
from predictor.formats.plain import plain
from predictor.inputs.conversion import EXACT
from predictor.inputs.rows import DecodedRequest, Rows, choose_method
from predictor.inputs.schema import Schema
from predictor.inputs.validation import Table, check_width, to_rows

HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
    # Of version 3 the header is UTF-8, for names of fields; arrays of numbers and text have none.
    (3, 0): np.lib.format.read_array_header_2_0,
}
KINDS = "fiubU"
DIMENSIONS = 2


def decode(body: bytes, media_type: MediaType, schema: Schema) -> DecodedRequest:
    method = choose_method(media_type.parameters.get("method"), schema)
    return DecodedRequest(rows(read(body, "The body"), schema), method)


def encode(predictions: npt.NDArray[Any]) -> bytes:
    if predictions.dtype.hasobject:
        predictions = _of_one_type(plain(predictions))
    out = io.BytesIO()
    np.save(out, predictions, allow_pickle=False)
    return out.getvalue()


def rows(values: npt.NDArray[Any], schema: Schema) -> Rows:
    """Check an array: two dimensions, or one that is a single row."""
    if values.ndim == 1:
        values = values.reshape(1, -1)
    if values.ndim != DIMENSIONS:
        raise BadInputError(f"Expected an array of 2 dimensions (rows, features), got {values.ndim}.")
    if values.dtype.kind not in KINDS:
        raise BadInputError(f"Expected an array of numbers or text, got {values.dtype}.")
    if not values.size:
        raise BadInputError("Expected at least one row of at least one feature, got none.")
    check_rows(len(values))
    plain_numbers = schema.numeric and values.dtype.kind != "U" and not may_be_rounded(values)
    if not plain_numbers or values.shape[1] == len(schema.trained) > 0:
        return to_rows(Table(_cells(values), None, ("/", "/")), schema)
    check_width(values.shape[1], schema, "/0")
    return _finite(np.ascontiguousarray(values, dtype=np.float64), schema)


def may_be_rounded(values: npt.NDArray[Any]) -> bool:
    """Whether there may be whole numbers that a double does not hold."""
    return (
        values.dtype.kind in "iu" and values.size > 0 and not (-EXACT < int(values.min()) <= int(values.max()) < EXACT)
    )


def read(data: bytes, what: str) -> npt.NDArray[Any]:
    """Read .npy bytes without a copy; raises BadInputError for whatever is no array of plain values."""
    stream = io.BytesIO(data)
    try:
        shape, fortran, dtype = HEADERS[np.lib.format.read_magic(stream)](stream)
    except Exception:  # noqa: BLE001  # the header is Python text: NumPy's parser may raise anything
        raise BadInputError(f"{what} is not a NumPy .npy file.") from None
    if dtype.hasobject:
        raise BadInputError(f"{what} holds Python objects; send numbers or text.")
    if not dtype.itemsize or dtype.subdtype:
        raise BadInputError(f"{what} has cells of the type {str(dtype)[:80]}: expected numbers or text.")
    follow = len(data) - stream.tell()
    if len(shape) > DIMENSIONS:
        raise BadInputError(f"Expected an array of 2 dimensions (rows, features), got {len(shape)}.")
    whole = all(type(length) is int and length >= 0 for length in shape)
    if not whole or math.prod(shape) * dtype.itemsize != follow:
        raise BadInputError(
            f"{what} says {str(shape)[:80]} of {str(dtype)[:80]}, which is not the {follow} bytes that follow."
        )
    if 0 in shape:  # beside which a length may be beyond all arrays
        return np.empty((0,) * len(shape), dtype)
    values: npt.NDArray[Any] = np.frombuffer(data, dtype, offset=stream.tell())
    return values.reshape(shape, order="F" if fortran else "C")


def _of_one_type(predictions: list[Any]) -> npt.NDArray[Any]:
    """Make an array of Python values; NumPy would make text of numbers that stand beside text."""
    with suppress(ValueError, OverflowError):  # lists of several lengths
        array = np.asarray(predictions)
        numbers = array.dtype.kind in "fiub"
        if numbers or (array.dtype.kind == "U" and all(isinstance(cell, str) for cell in _flat(predictions))):
            return array
    raise NotAcceptableError("An .npy answer cannot hold these predictions: ask for application/json.")


def _flat(values: list[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list):
            yield from _flat(value)
        else:
            yield value


def _cells(values: npt.NDArray[Any]) -> list[list[Any]]:
    """Make Python values; text of half a surrogate pair is none, and could be written nowhere."""
    try:
        cells: list[list[Any]] = values.tolist()
        if values.dtype.kind == "U":
            "".join("".join(row) for row in cells).encode()
    except (SystemError, ValueError) as error:  # of text: NumPy hands numbers to Python that are no characters
        raise BadInputError("The array holds text that is not Unicode.") from error
    return cells


def _finite(rows: npt.NDArray[np.float64], schema: Schema) -> npt.NDArray[np.float64]:
    wrong = np.isinf(rows)
    required = list(schema.required)
    wrong[:, required] |= np.isnan(rows[:, required])
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        fault = Fault(f"/{row}/{column}", f"expected a finite number, got {rows[row, column]}")
        raise BadInputError(f"A cell is not what the model takes: {fault.detail} at {fault.pointer}.", fault)
    return rows
