"""Every way a request can end other than well: one table from the failure to the status, and one class that has both.

Whatever `detail` says is sent to the caller. The cause of an error stays in the log (`__cause__`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any

# https://www.iana.org/assignments/http-status-codes
TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    409: "Conflict",
    410: "Gone",
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
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Failure(Enum):
    """A failure: its status, its outcome in the metrics, and after how many seconds another try may succeed."""

    # The caller can mend it.
    BAD_REQUEST = (400, "request_error", None)
    UNKNOWN_PATH = (404, "request_error", None)
    METHOD_NOT_ALLOWED = (405, "request_error", None)
    NOT_ACCEPTABLE = (406, "request_error", None)
    BODY_TOO_LARGE = (413, "request_error", None)
    MEDIA_TYPE = (415, "request_error", None)
    # Of jobs: not finished yet, files removed, another body under one Idempotency-Key, the caller's limits.
    NO_RESULT = (409, "request_error", None)
    GONE = (410, "request_error", None)
    KEY_REUSED = (422, "request_error", None)
    TOO_MANY = (429, "request_error", None)
    # The container refused the input. Its own 4xx status takes the place of this one.
    REFUSED = (400, "refused_by_model", None)
    # SageMaker throttled the call, and no retry fits.
    THROTTLED = (429, "throttled", 1)
    # The container failed, the connection broke, or the answer cannot be passed on.
    FAILED = (502, "endpoint_error", None)
    # The endpoint is starting, scaling or busy, and no retry fits.
    UNAVAILABLE = (503, "unavailable", 5)
    DEADLINE = (504, "timeout", None)
    # The service's own fault: a missing endpoint, a missing permission, or a defect.
    INTERNAL = (500, "internal_error", None)

    def __init__(self, status: int, outcome: str, retry_after: int | None) -> None:
        self.status = status
        self.outcome = outcome
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Problem:
    """One refused place of a body: an RFC 6901 pointer and what was expected there."""

    pointer: str
    detail: str


class InvokerError(Exception):
    """Raise with one of the failures; `detail` reaches the caller, and `status` where it is not the failure's own."""

    def __init__(
        self,
        failure: Failure,
        detail: str,
        problems: Sequence[Problem] = (),
        *,
        status: int | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> None:
        super().__init__(detail)
        self.failure = failure
        self.detail = detail
        self.problems = problems
        self.status = status or failure.status
        self.headers = dict(headers)
        if failure.retry_after is not None:
            self.headers["Retry-After"] = str(failure.retry_after)

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
