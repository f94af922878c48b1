"""Bytes to rows and predictions to bytes: which format a request has, and which one its answer gets."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from predictor.errors import BadInputError, UnsupportedMediaTypeError
from predictor.formats import csv, json, media_types, npy, npz
from predictor.formats.media_types import MediaType
from predictor.inputs.rows import DecodedRequest
from predictor.inputs.schema import Schema
from predictor.inputs.validation import check_categories


@dataclass(frozen=True, slots=True)
class Payload:
    """An answer's body with its media type."""

    body: bytes
    content_type: str
    status: int = 200


DECODERS: dict[str, Callable[[bytes, MediaType, Schema], DecodedRequest]] = {
    "application/json": json.decode,
    "application/jsonlines": json.decode_lines,
    "application/x-jsonlines": json.decode_lines,
    "application/x-ndjson": json.decode_lines,
    "text/csv": csv.decode,
    "application/x-npy": npy.decode,
    "application/x-npz": npz.decode,
}
ENCODERS: dict[str, Callable[[npt.NDArray[Any]], bytes]] = {
    "application/json": json.encode,
    "application/jsonlines": json.encode_lines,
    "application/x-jsonlines": json.encode_lines,
    "application/x-ndjson": json.encode_lines,
    "text/csv": csv.encode,
    "application/x-npy": npy.encode,
}


def decode(body: bytes, content_type: str | None, schema: Schema) -> DecodedRequest:
    """Read and validate a body; raises BadInputError, PayloadTooLargeError, UnsupportedMediaTypeError."""
    media_type = media_types.parse(content_type)
    decoder = DECODERS.get(media_type.name)
    if decoder is None:
        raise UnsupportedMediaTypeError(_unsupported(media_type.name))
    if not body:
        raise BadInputError("The body is empty: expected at least one row.")
    request = decoder(body, media_type, schema)
    check_categories(request.rows, schema)
    return request


def negotiate(accept: str | None, content_type: str | None) -> str:
    """Choose the media type of the answer: what Accept likes most, else the request's own where it can be written.

    Raises NotAcceptableError, before anything is predicted.
    """
    own = media_types.parse(content_type).name
    return media_types.choose(accept, OFFERS.get(own, OFFERED))


def encode(predictions: npt.NDArray[Any], media_type: str) -> Payload:
    """Write predictions, one element a row; raises NotAcceptableError when the format cannot hold them."""
    return Payload(ENCODERS[media_type](predictions), media_type)


OFFERED = tuple(ENCODERS)
OFFERS = {own: (own, *(other for other in OFFERED if other != own)) for own in OFFERED}


HINTS = {
    "application/x-www-form-urlencoded": (
        "curl sends this type unless told otherwise: add -H 'Content-Type: application/json'."
    ),
    "multipart/form-data": "Send the file itself as the body, with curl's --data-binary, and its own type.",
    "text/libsvm": (
        "It numbers features from 0 or from 1, and nothing says which: send CSV, in SageMaker's SDK with "
        "serializer=CSVSerializer()."
    ),
    "application/x-recordio-protobuf": (
        "Send .npy or, of a sparse matrix, .npz: in SageMaker's SDK with serializer=NumpySerializer() or "
        "SparseMatrixSerializer()."
    ),
    "tensor/pt": "Send the tensor as a NumPy array: in SageMaker's SDK with serializer=NumpySerializer().",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "Save the table as CSV UTF-8.",
    "application/vnd.ms-excel": "Save the table as CSV UTF-8.",
}
"""What to send instead of what clients send by default, or by mistake."""
HINTS["text/x-libsvm"] = HINTS["text/libsvm"]
UNTYPED = ("text/plain", "application/octet-stream", "file-path/raw-bytes")


def _unsupported(name: str) -> str:
    hint = HINTS.get(name, "Name the type that the body has." if name in UNTYPED else "")
    return f'The content type "{name[:80]}" cannot be read: send one of {", ".join(DECODERS)}. {hint}'.rstrip()
