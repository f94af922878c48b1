"""Every way a request can end other than well, and the one place that turns it into an answer.

    InvokerError                        status
    ├── RequestError                            the caller can mend it
    │   ├── BadRequestError            400
    │   ├── UnknownPathError           404
    │   ├── MethodNotAllowedError      405
    │   ├── BodyTooLargeError          413
    │   ├── MediaTypeError             415
    │   └── SchemaError                422
    ├── EndpointError                           the endpoint's side
    │   ├── RefusedError               4xx      the container's own status
    │   ├── ThrottledError             429
    │   ├── FailedError                502
    │   ├── AnswerError                502
    │   ├── UnavailableError           503
    │   └── DeadlineError              504
    └── InternalError                  500      ours; the cause is in the log only

Whatever `detail` says is sent to the caller. The cause of an EndpointError stays in the log (`__cause__`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

# https://www.iana.org/assignments/http-status-codes
TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
INTERNAL = "The request failed inside the service. Quote the request_id to its owner."


@dataclass(frozen=True, slots=True)
class Problem:
    """One refused place of a body: an RFC 6901 pointer and what was expected there."""

    pointer: str
    detail: str


class InvokerError(Exception):
    """Raise one of its kinds; `detail` reaches the caller."""

    status: int = 500
    outcome: ClassVar[str] = "internal_error"
    retry_after: ClassVar[int | None] = None

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.problems: Sequence[Problem] = ()

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}

    def document(self, request_id: str) -> dict[str, Any]:
        """Render as RFC 9457 problem details."""
        document: dict[str, Any] = {
            "type": "about:blank",
            "title": title(self.status),
            "status": self.status,
            "detail": self.detail,
            "request_id": request_id,
        }
        if self.problems:
            document["errors"] = [{"pointer": each.pointer, "detail": each.detail} for each in self.problems]
        return document


def title(status: int) -> str:
    """Name a status; written out, since http.HTTPStatus names 413 and 422 differently from Python to Python."""
    return TITLES.get(status, "Refused")


class RequestError(InvokerError):
    outcome = "request_error"


class BadRequestError(RequestError):
    """Raise when the body cannot be read: not JSON, empty, or not base64 though the event says so."""

    status = 400


class UnknownPathError(RequestError):
    """Raise when no route has the path."""

    status = 404


class MethodNotAllowedError(RequestError):
    """Raise when the path is known, but not with this method."""

    status = 405

    def __init__(self, detail: str, *, allow: str) -> None:
        super().__init__(detail)
        self.allow = allow

    @property
    def headers(self) -> dict[str, str]:
        return {"Allow": self.allow}


class BodyTooLargeError(RequestError):
    """Raise when the body exceeds MAX_BODY_BYTES."""

    status = 413


class MediaTypeError(RequestError):
    """Raise when the Content-Type is not application/json."""

    status = 415


class SchemaError(RequestError):
    """Raise when the body is JSON, but not what the schema asks for."""

    status = 422

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("The body is not what the API expects; see `errors`.")
        self.problems = problems


class EndpointError(InvokerError):
    outcome = "endpoint_error"


class RefusedError(EndpointError):
    """Raise when the container refused the input: its own 4xx status, and its words if they are problem details."""

    outcome = "refused_by_model"

    def __init__(self, status: int, detail: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.problems = problems


class ThrottledError(EndpointError):
    """Raise when SageMaker throttled the call and no retry fits."""

    status = 429
    outcome = "throttled"
    retry_after = 1


class FailedError(EndpointError):
    """Raise when the container failed, or the connection to the endpoint broke."""

    status = 502


class AnswerError(EndpointError):
    """Raise when the endpoint's answer cannot be passed on: too large, cut short, or not JSON text."""

    status = 502


class UnavailableError(EndpointError):
    """Raise when the endpoint is starting, scaling or busy, and no retry fits."""

    status = 503
    outcome = "unavailable"
    retry_after = 5


class DeadlineError(EndpointError):
    """Raise when the answer did not come in time."""

    status = 504
    outcome = "timeout"


class InternalError(InvokerError):
    """Raise when the fault is ours: a missing endpoint, a missing permission, or a defect."""
