"""Every way a request or the container can fail, with the status a caller sees.

PredictorError
├── RefusedError                    the caller is to blame
│   ├── BadInputError               400
│   ├── NotFoundError               404
│   ├── MethodNotAllowedError       405
│   ├── NotAcceptableError          406
│   ├── PayloadTooLargeError        413
│   ├── UnsupportedMediaTypeError   415
│   ├── HeadTooLargeError           431
│   ├── NotSupportedError           501
│   └── VersionError                505
├── PredictionError                 500
├── OverdueError                    504
├── UnavailableError                503, with Retry-After
│   ├── QueueFullError
│   ├── DeadlineError
│   └── NotReadyError
├── ModelLoadError                  no status: ends the process
│   └── NoModelError                the file holds something else
└── CompileError                    no status: ends the command
"""

import json
from dataclasses import dataclass
from typing import ClassVar

import orjson

PROBLEM_MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Fault:
    """One place in a request body that is wrong; `pointer` is a JSON Pointer (RFC 6901)."""

    pointer: str
    detail: str


class PredictorError(Exception):
    """The base of all errors; `detail` is safe to show to a caller."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal Server Error"

    def __init__(self, detail: str, *errors: Fault) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors


class RefusedError(PredictorError):
    """The base of what the caller can mend."""


class BadInputError(RefusedError):
    """Raise when a body cannot be decoded, or is not what the model takes."""

    status = 400
    title = "Bad Request"


class NotFoundError(RefusedError):
    """Raise when a path is not served."""

    status = 404
    title = "Not Found"


class MethodNotAllowedError(RefusedError):
    """Raise when a path is asked for by another method than those in `allow`."""

    status = 405
    title = "Method Not Allowed"

    def __init__(self, allow: str) -> None:
        super().__init__(f"Use {allow}.")
        self.allow = allow


class NotAcceptableError(RefusedError):
    """Raise when no media type of `Accept` can be written."""

    status = 406
    title = "Not Acceptable"


class PayloadTooLargeError(RefusedError):
    """Raise when a body, or what it unpacks to, is larger than the limit."""

    status = 413
    title = "Content Too Large"


class UnsupportedMediaTypeError(RefusedError):
    """Raise when a body's `Content-Type` cannot be read."""

    status = 415
    title = "Unsupported Media Type"


class HeadTooLargeError(RefusedError):
    """Raise when a request line and its headers are longer than the limit."""

    status = 431
    title = "Request Header Fields Too Large"


class NotSupportedError(RefusedError):
    """Raise when a request needs a part of HTTP that this server does not have."""

    status = 501
    title = "Not Implemented"


class VersionError(RefusedError):
    """Raise when a request is of another HTTP version than 1.1 and 1.0."""

    status = 505
    title = "HTTP Version Not Supported"


class PredictionError(PredictorError):
    """Raise when the model fails on rows that were decoded without fault."""


class OverdueError(PredictorError):
    """Raise when a prediction has not ended by the request's deadline: the same request would take as long again."""

    status = 504
    title = "Gateway Timeout"


class UnavailableError(PredictorError):
    """The base of what may succeed when tried again, after `retry_after` seconds."""

    status = 503
    title = "Service Unavailable"
    retry_after: ClassVar[int] = 1


class QueueFullError(UnavailableError):
    """Raise when as many rows wait for the model as may wait."""


class DeadlineError(UnavailableError):
    """Raise when the deadline passes before a worker takes the request."""


class NotReadyError(UnavailableError):
    """Raise when a request comes before the model is loaded, or while the server drains."""


class ModelLoadError(PredictorError):
    """Raise when there is no model to serve; `detail` is one line: what, where, what to do."""


class NoModelError(ModelLoadError):
    """Raise when a file holds something that cannot predict: `held`, which own functions may know to use."""

    def __init__(self, detail: str, held: object) -> None:
        super().__init__(detail)
        self.held = held


class CompileError(PredictorError):
    """Raise when a model cannot be compiled, or would answer differently; `detail` says why."""


def problem(error: PredictorError, request_id: str = "") -> bytes:
    """Render an error as the body of `application/problem+json` (RFC 9457)."""
    body: dict[str, object] = {
        "type": "about:blank",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
    }
    if request_id:
        body["request_id"] = request_id
    if error.errors:
        body["errors"] = [{"pointer": fault.pointer, "detail": fault.detail} for fault in error.errors]
    try:
        return orjson.dumps(body)
    except (TypeError, ValueError):  # a lone surrogate, from a body or a model's own message
        return json.dumps(body).encode()
