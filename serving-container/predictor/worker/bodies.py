"""Bodies for code that has a model_fn and no input_fn, as the decoder of AWS's toolkits reads them.

A list in JSON is an array of as many dimensions as it has, and a .npy body the array that it holds. What this project's
own forms say (rows with columns, records, CSV) is a table as ever. Source: aws/sagemaker-inference-toolkit, decoder.py.
"""

import io
from typing import Any

import numpy as np
import orjson

from predictor.errors import BadInputError
from predictor.formats import media_types
from predictor.formats.registry import decode
from predictor.inputs.containers import contain
from predictor.inputs.schema import Schema

LISTS = ("data", "instances")
"""Fields of an object in which rows lie."""
NPY = "application/x-npy"
KINDS = "fiubU"


def read(body: bytes, content_type: str, schema: Schema) -> Any:
    """Read a body of which nothing is known; raises BadInputError, UnsupportedMediaTypeError."""
    name = media_types.parse(content_type).name
    if name == media_types.JSON and body.lstrip()[:1] == b"[":
        document = _document(body)
        if document and not any(isinstance(row, dict) for row in document):
            return _array(document)
    try:
        return contain(decode(body, content_type, schema).rows, schema)
    except BadInputError:
        if name == media_types.JSON and (document := _document(body)) is not None:
            return _of_document(document)
        if name == NPY:
            return _npy(body)
        raise


def _document(body: bytes) -> Any:
    try:
        return orjson.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        return None


def _of_document(document: Any) -> Any:
    """An object goes as it is, but for the one that only holds a list of rows."""
    if isinstance(document, list):
        return _array(document)
    if isinstance(document, dict) and len(document) == 1:
        (name, value), *_ = document.items()
        if name in LISTS and isinstance(value, list):
            return _array(value)
    return document


def _array(rows: list[Any]) -> Any:
    """An array of what is of one kind; lists of several lengths, or of numbers beside text, stay lists."""
    if any(isinstance(row, dict) for row in rows):
        return rows
    try:
        array = np.array(rows)
    except (ValueError, OverflowError):
        return rows
    mixed = array.dtype.kind == "U" and not all(isinstance(cell, str) for cell in _flat(rows))
    return rows if mixed else array


def _flat(rows: Any) -> Any:
    for row in rows:
        if isinstance(row, list):
            yield from _flat(row)
        else:
            yield row


def _npy(body: bytes) -> Any:
    """Read an array of more than two dimensions; what is not written in full is refused before it is allocated."""
    refused = BadInputError("The body is not a NumPy .npy file of numbers or text.")
    try:
        stream = io.BytesIO(body)
        version = np.lib.format.read_magic(stream)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = header(stream)
        values = np.frombuffer(body, dtype, offset=stream.tell())
        array = values.reshape(shape, order="F" if fortran else "C")
    except Exception:  # noqa: BLE001  # the header is Python text: NumPy's parser may raise anything
        raise refused from None
    if dtype.kind not in KINDS:
        raise refused
    return array.copy()  # own code may write into it
