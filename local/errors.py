"""What can go wrong in the local chain.

ChainError                       the chain cannot start or go on: one line on stderr, exit code 1
├── PortTakenError
├── PortsTakenError
├── ModelMissingError
├── TrainingError
├── TemplateError
└── ProcessEndedError
RuntimeServiceError              an error answer of the SageMaker runtime: status and code
├── MissingTokenError            403 MissingAuthenticationTokenException
├── IncompleteSignatureError     403 IncompleteSignatureException
├── UnknownAccessKeyError        403 UnrecognizedClientException
├── WrongSignatureError          403 InvalidSignatureException
├── UnknownOperationError        404 UnknownOperationException
├── ValidationError              400 ValidationError
├── BodyTooLargeError            413 RequestEntityTooLargeException
├── ModelError                   424 ModelError
└── UnavailableError             503 ServiceUnavailable
GatewayError                     what API Gateway answers by itself: its gateway response type, status and message
├── NoRouteError                 403 MISSING_AUTHENTICATION_TOKEN
├── WrongKeyError                403 INVALID_API_KEY
├── EncodingError                415 UNSUPPORTED_MEDIA_TYPE
├── BadBodyError                 400 BAD_REQUEST_BODY
├── EventTooLargeError           413 REQUEST_TOO_LARGE
├── IntegrationTimeoutError      504 INTEGRATION_TIMEOUT
└── FunctionError                502 (DEFAULT_5XX)
    ├── FunctionTimedOutError
    └── MalformedAnswerError
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar


class ChainError(Exception):
    """Raise when the chain cannot start or go on; the text is the one line the user reads."""


class PortTakenError(ChainError):
    """Raise when a port of the chain cannot be had: another process listens on it, or it is not ours to take."""

    def __init__(self, port: int, part: str, reason: str) -> None:
        super().__init__(f"port {port} for the {part} cannot be used: {reason}")


class PortsTakenError(ChainError):
    """Raise when the chain cannot have the ports that it was asked for; `free` are ports that it could have."""

    def __init__(self, reasons: Sequence[str], free: Mapping[str, int]) -> None:
        settings = " ".join(f"{name}={port}" for name, port in free.items())
        super().__init__(f"{'; '.join(reasons)}; add {settings} to `make run`")


class ModelMissingError(ChainError):
    """Raise when MODEL is neither a directory with files in it nor the name of an example."""


class TrainingError(ChainError):
    """Raise when the example model cannot be trained."""


class TemplateError(ChainError):
    """Raise when template.yaml lacks what the gateway needs."""


class ProcessEndedError(ChainError):
    """Raise when a part of the chain ends by itself."""


class RuntimeServiceError(Exception):
    """Raise when the SageMaker runtime refuses or fails; `members` are the error's own fields beside its message.

    Codes and statuses: InvokeEndpoint and Common Errors in the SageMaker API reference.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "InternalFailure"

    def __init__(self, message: str, **members: str | int) -> None:
        super().__init__(message)
        self.members = members


class MissingTokenError(RuntimeServiceError):
    """Raise when a request carries no Authorization header."""

    status = 403
    code = "MissingAuthenticationTokenException"


class IncompleteSignatureError(RuntimeServiceError):
    """Raise when the Authorization header lacks a part of a Signature Version 4."""

    status = 403
    code = "IncompleteSignatureException"


class UnknownAccessKeyError(RuntimeServiceError):
    """Raise when the access key, or the session token, is not the configured one."""

    status = 403
    code = "UnrecognizedClientException"


class WrongSignatureError(RuntimeServiceError):
    """Raise when the signature is not the one computed here, or is scoped or dated wrongly."""

    status = 403
    code = "InvalidSignatureException"


class UnknownOperationError(RuntimeServiceError):
    """Raise when method and path name no operation."""

    status = 404
    code = "UnknownOperationException"


class ValidationError(RuntimeServiceError):
    """Raise when there is no such endpoint, or a header is longer than InvokeEndpoint takes."""

    status = 400
    code = "ValidationError"


class BodyTooLargeError(RuntimeServiceError):
    """Raise when the body is above SageMaker's 25 MB."""

    status = 413
    code = "RequestEntityTooLargeException"


class ModelError(RuntimeServiceError):
    """Raise when the container answered with other than 2xx, broke off, or took more than 60 s."""

    status = 424
    code = "ModelError"


class UnavailableError(RuntimeServiceError):
    """Raise when nothing listens where the container should be."""

    status = 503
    code = "ServiceUnavailable"


class GatewayError(Exception):
    """Raise when API Gateway answers by itself; `detail` is its validationErrorString, or a line for the log.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
    """

    kind: ClassVar[str]
    status: ClassVar[int]
    message: ClassVar[str]
    code: ClassVar[str]

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or self.message)
        self.detail = detail


class NoRouteError(GatewayError):
    """Raise when the API has no such method and path."""

    kind = "MISSING_AUTHENTICATION_TOKEN"
    status = 403
    message = "Missing Authentication Token"
    code = "MissingAuthenticationTokenException"


class WrongKeyError(GatewayError):
    """Raise when a route that needs an API key is called without it."""

    kind = "INVALID_API_KEY"
    status = 403
    message = "Forbidden"
    code = "ForbiddenException"


class EncodingError(GatewayError):
    """Raise when the body is not what its Content-Encoding says, or the encoding is not known."""

    kind = "UNSUPPORTED_MEDIA_TYPE"
    status = 415
    message = "Unsupported Media Type"
    code = "BadRequestException"


class BadBodyError(GatewayError):
    """Raise when the body is not what the API's model asks for."""

    kind = "BAD_REQUEST_BODY"
    status = 400
    message = "Invalid request body"
    code = "BadRequestException"


class EventTooLargeError(GatewayError):
    """Raise when the event is above Lambda's 6 MB."""

    kind = "REQUEST_TOO_LARGE"
    status = 413
    message = "Request Too Long"
    code = "RequestTooLargeException"


class IntegrationTimeoutError(GatewayError):
    """Raise when the function takes longer than API Gateway waits."""

    kind = "INTEGRATION_TIMEOUT"
    status = 504
    message = "Endpoint request timed out"
    code = "InternalServerErrorException"


class FunctionError(GatewayError):
    """Raise when the Lambda function raised."""

    kind = "DEFAULT_5XX"
    status = 502
    message = "Internal server error"
    code = "InternalServerErrorException"


class FunctionTimedOutError(FunctionError):
    """Raise when the function took longer than its own timeout."""


class MalformedAnswerError(FunctionError):
    """Raise when the function's answer is not a proxy integration response, or above Lambda's 6 MB."""
