"""What botocore raises, translated once: which of our errors it is, and whether the call may be sent again.

Codes: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html and its CommonErrors.
"""

import json
from http import HTTPStatus
from typing import Any, NamedTuple

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError as PoolError
from urllib3.exceptions import TimeoutError as PoolTimeoutError

from invoker.errors import (
    INTERNAL,
    Failure,
    InvokerError,
    Problem,
)

# botocore reads an error's body outside its own translation, so urllib3's errors come through as they are.
FOREIGN = (ClientError, BotoCoreError, ResponseParserError, PoolError)

MAX_PROBLEMS = 20
MAX_DETAIL = 1000

TOO_LATE = "The model did not answer in time. Send fewer rows, or try again later."
STARTING = "The model is starting or busy. Try again in a few seconds."
THROTTLED = "Too many requests. Try again in a moment."
BROKEN = "The model failed to answer. Quote the request_id to the owner of the service."
REFUSED = "The model refused the input. Quote the request_id to the owner of the service."
TOO_LARGE = "The body is larger than the SageMaker endpoint takes. Send fewer rows."


class Rule(NamedTuple):
    failure: Failure
    detail: str
    # Whether the call may be sent again: it did not reach the model, or SageMaker turned it away at once.
    again: bool = False

    def error(self) -> InvokerError:
        return InvokerError(self.failure, self.detail)


LATE = Rule(Failure.DEADLINE, TOO_LATE)
AWAY = Rule(Failure.UNAVAILABLE, STARTING, again=True)
THROTTLE = Rule(Failure.THROTTLED, THROTTLED, again=True)
FAILED = Rule(Failure.FAILED, BROKEN)
LARGE = Rule(Failure.BODY_TOO_LARGE, TOO_LARGE)
OURS = Rule(Failure.INTERNAL, INTERNAL)

CODES = {
    # declared for InvokeEndpoint
    "InternalDependencyException": AWAY,
    "InternalFailure": FAILED,
    "ModelError": FAILED,  # unless the container's own status says more: model_error
    "ModelNotReadyException": AWAY,
    "ServiceUnavailable": AWAY,
    "ValidationError": OURS,
    # common to AWS's services
    "AccessDeniedException": OURS,
    "ExpiredTokenException": OURS,
    "IncompleteSignature": OURS,
    "InvalidSignatureException": OURS,
    "MalformedHttpRequestException": OURS,
    "NotAuthorized": OURS,
    "OptInRequired": OURS,
    "RequestAbortedException": FAILED,
    "RequestEntityTooLargeException": LARGE,
    "RequestTimeoutException": LATE,
    "ThrottlingException": THROTTLE,
    "Throttling": THROTTLE,
    "TooManyRequestsException": THROTTLE,
    "UnknownOperationException": OURS,
    "UnrecognizedClientException": OURS,
}

# Where the code is not known, as from a proxy on the way.
STATUSES = {
    HTTPStatus.REQUEST_TIMEOUT: LATE,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: LARGE,
    HTTPStatus.TOO_MANY_REQUESTS: THROTTLE,
    HTTPStatus.SERVICE_UNAVAILABLE: AWAY,
    HTTPStatus.GATEWAY_TIMEOUT: LATE,
    530: AWAY,
}

# The container's own; none is sent again, for the model may have run. 0: it did not answer SageMaker in time.
CONTAINERS = {
    0: LATE,
    HTTPStatus.TOO_MANY_REQUESTS: THROTTLE,
    HTTPStatus.SERVICE_UNAVAILABLE: AWAY,
    HTTPStatus.GATEWAY_TIMEOUT: LATE,
}

# Found by the exception's own classes, the nearest first.
EXCEPTIONS: dict[type[BaseException], Rule] = {
    EndpointConnectionError: AWAY,
    ConnectTimeoutError: AWAY,
    # A kept connection that the other side had closed meanwhile ends like this too, at once.
    ConnectionClosedError: Rule(Failure.FAILED, BROKEN, again=True),
    ReadTimeoutError: LATE,
    PoolTimeoutError: LATE,
    HTTPClientError: FAILED,
    IncompleteReadError: FAILED,
    ResponseStreamingError: FAILED,
    ResponseParserError: FAILED,
    PoolError: FAILED,
    BotoCoreError: OURS,
}
NEVER_SENT = (EndpointConnectionError, ConnectTimeoutError)


def translate(error: Exception) -> InvokerError:
    if isinstance(error, ClientError) and _code(error) == "ModelError":
        return model_error(error.response)
    return _rule(error).error()


def repeatable(error: Exception, *, quick: bool) -> bool:
    """Say whether sending again is safe: what failed slowly may have run the model, unless it never arrived."""
    return _rule(error).again and (quick or isinstance(error, NEVER_SENT))


def _rule(error: Exception) -> Rule:
    if not isinstance(error, ClientError):
        return next(EXCEPTIONS[each] for each in type(error).__mro__ if each in EXCEPTIONS)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if _code(error) in CODES:
        return CODES[_code(error)]
    return STATUSES.get(status, FAILED if status >= HTTPStatus.INTERNAL_SERVER_ERROR else OURS)


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def model_error(response: Any) -> InvokerError:
    """Read the container's own status out of a ModelError."""
    status = response.get("OriginalStatusCode")
    if status in CONTAINERS:
        return CONTAINERS[status].error()
    if isinstance(status, int) and HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return _refusal(status, response.get("OriginalMessage"))
    return FAILED.error()


def _refusal(status: int, message: Any) -> InvokerError:
    """Pass on the container's words only where they are problem details: anything else may hold a traceback."""
    try:
        document = json.loads(message)
    except (TypeError, ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or not isinstance(document.get("detail"), str):
        return InvokerError(Failure.REFUSED, REFUSED, status=status)
    problems = _problems(document.get("errors"))
    return InvokerError(Failure.REFUSED, document["detail"][:MAX_DETAIL], problems, status=status)


def _problems(errors: Any) -> list[Problem]:
    entries = errors if isinstance(errors, list) else []
    found = [(each.get("pointer"), each.get("detail")) for each in entries[:MAX_PROBLEMS] if isinstance(each, dict)]
    return [
        Problem(pointer[:MAX_DETAIL], detail[:MAX_DETAIL])
        for pointer, detail in found
        if isinstance(pointer, str) and isinstance(detail, str)
    ]
