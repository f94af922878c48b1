"""Bytes to rows and predictions to bytes: which format a request has, and which one its answer gets."""

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from predictor.rows import Request, Signature


@dataclass(frozen=True, slots=True)
class Payload:
    """An answer's body with its media type."""

    body: bytes
    content_type: str


def decode(body: bytes, content_type: str | None, signature: Signature) -> Request:
    """Read and validate a body; raises BadInputError, PayloadTooLargeError, UnsupportedMediaTypeError."""
    raise NotImplementedError


def negotiate(accept: str | None, content_type: str | None) -> str:
    """Choose the media type of the answer from the request's `Accept` and `Content-Type`; raises NotAcceptableError."""
    raise NotImplementedError


def encode(predictions: npt.NDArray[Any], media_type: str) -> Payload:
    """Write predictions, one element a row; raises NotAcceptableError when the format cannot hold them."""
    raise NotImplementedError
