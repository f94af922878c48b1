"""What can go wrong in the local chain, and the tables of the statuses that it answers with.

ChainError             the chain cannot start or go on: what the user reads on stderr, exit code 1
ServiceError    the SageMaker runtime's own error answers, by code
GatewayError           API Gateway's own answers, by gateway response type
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class ChainError(Exception):
    """Raise when the chain cannot start or go on; the text is what the user reads."""


class PortTakenError(ChainError):
    """Raise when a port of the chain cannot be had: another process listens on it, or it is not ours to take."""

    def __init__(self, port: int, part: str, reason: str) -> None:
        super().__init__(f"port {port} for the {part} cannot be used: {reason}")


# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html and its CommonErrors.
RUNTIME_STATUSES: Mapping[str, int] = MappingProxyType(
    {
        "IncompleteSignatureException": 403,
        "InvalidSignatureException": 403,
        "MissingAuthenticationTokenException": 403,
        "UnrecognizedClientException": 403,
        "UnknownOperationException": 404,
        "ValidationError": 400,
        "RequestEntityTooLargeException": 413,
        # The container answered with other than 2xx, broke off, or took more than 60 s.
        "ModelError": 424,
        "ServiceUnavailable": 503,
    }
)


class ServiceError(Exception):
    """Raise when the SageMaker runtime refuses or fails; `members` are the error's own fields beside its message."""

    def __init__(self, code: str, message: str, **members: str | int) -> None:
        super().__init__(message)
        self.code = code
        self.status = RUNTIME_STATUSES[code]
        self.members = members


class GatewayResponseType(NamedTuple):
    """What API Gateway answers by itself where the API defines no gateway response of this type."""

    status: int
    message: str
    code: str


# https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
GATEWAY_RESPONSE_TYPES: Mapping[str, GatewayResponseType] = MappingProxyType(
    {
        "DEFAULT_4XX": GatewayResponseType(403, "Forbidden", "ForbiddenException"),
        # The function raised, took longer than its timeout, or gave no proxy integration response.
        "DEFAULT_5XX": GatewayResponseType(502, "Internal server error", "InternalServerErrorException"),
        "INTEGRATION_TIMEOUT": GatewayResponseType(504, "Endpoint request timed out", "InternalServerErrorException"),
        "INVALID_API_KEY": GatewayResponseType(403, "Forbidden", "ForbiddenException"),
        # There is no such path, or not with this method.
        "MISSING_AUTHENTICATION_TOKEN": GatewayResponseType(
            403, "Missing Authentication Token", "MissingAuthenticationTokenException"
        ),
        "REQUEST_TOO_LARGE": GatewayResponseType(413, "Request Too Long", "RequestTooLargeException"),
        # A Content-Encoding that is not known, or that the body does not have.
        "UNSUPPORTED_MEDIA_TYPE": GatewayResponseType(415, "Unsupported Media Type", "BadRequestException"),
    }
)


class GatewayError(Exception):
    """Raise when API Gateway answers by itself; `detail` is its validationErrorString, or a line for the log."""

    def __init__(self, kind: str, detail: str = "") -> None:
        self.kind = kind
        self.status, self.message, self.code = GATEWAY_RESPONSE_TYPES[kind]
        super().__init__(detail or self.message)
        self.detail = detail


class FunctionError(GatewayError):
    """Raise when the function fails, runs out of time, or answers what API Gateway does not take."""

    def __init__(self, detail: str) -> None:
        super().__init__("DEFAULT_5XX", detail)
