"""Calls of S3 and DynamoDB: short time limits, few retries, every failure one of the function's own errors."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from invoker.errors import INTERNAL, Failure, InvokerError

BUSY = "Jobs cannot be kept at the moment. Try again in a few seconds."
THROTTLES = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TransactionConflictException",
    }
)
MISSING = frozenset({"404", "NoSuchKey", "NotFound"})
# No answer came, or a broken one; what is wrong on this side is a ParamValidationError and such.
OWN_FAULTS = ("NoCredentialsError", "NoRegionError", "ParamValidationError", "PartialCredentialsError")


class ConditionFailedError(Exception):
    """Raise when a conditional write found another state than the one that it asks for."""


class MissingError(Exception):
    """Raise when there is no such object."""


def client(service: str) -> Any:
    """Return a client of S3 or DynamoDB."""
    # A session of its own: boto3's default one keeps the credentials of whoever asked first in this process.
    return boto3.Session().client(  # type: ignore[call-overload]  # the name is a variable
        service,
        config=Config(
            connect_timeout=2,
            read_timeout=5,
            retries={"mode": "standard", "total_max_attempts": 3},
            signature_version="s3v4" if service == "s3" else None,
        ),
    )


def ask(call: Callable[..., Any], **parameters: Any) -> Any:
    """Return what a call returns; raise InvokerError, ConditionFailedError or MissingError."""
    try:
        return call(**parameters)
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in ("ConditionalCheckFailedException", "PreconditionFailed"):
            raise ConditionFailedError from error
        if code in MISSING:
            raise MissingError from error
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        raise _failure(busy=code in THROTTLES or status >= HTTPStatus.INTERNAL_SERVER_ERROR) from error
    except BotoCoreError as error:
        raise _failure(busy=type(error).__name__ not in OWN_FAULTS) from error


def _failure(*, busy: bool) -> InvokerError:
    return InvokerError(Failure.UNAVAILABLE, BUSY) if busy else InvokerError(Failure.INTERNAL, INTERNAL)
