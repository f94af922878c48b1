"""The AWS account as this machine's settings name it, and what boto3 says when they are wrong as one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import boto3
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    LoginError,
    NoRegionError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)

from deployment.errors import AccountError

SET = "set credentials and a region, for instance AWS_PROFILE and AWS_REGION"
SIGN_IN = "sign in again, for instance with `aws sso login`, or renew the keys"
REMEDIES = {
    (SSOError, LoginError, TokenRetrievalError): SIGN_IN,
    (NoRegionError,): "set one, for instance AWS_REGION=eu-west-1",
    (ProfileNotFound,): "set AWS_PROFILE to one of `aws configure list-profiles`",
    (BotoConnectionError, HTTPClientError): "check AWS_REGION and the network",
}
# Of any service: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/CommonErrors.html
REFUSED_CREDENTIALS = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)


class Session(Protocol):
    """What is used of boto3.Session."""

    @property
    def region_name(self) -> str:
        """The region that is asked; empty or None when nothing names one."""

    def client(self, service_name: Any) -> Any:
        """Return a client of a service."""


def open_session() -> boto3.Session:
    """Return boto3's session; raises AccountError where AWS_PROFILE names none."""
    with account_errors():
        return boto3.Session()


def identify(session: boto3.Session) -> str:
    """Say which account is meant, where, and as whom; raises AccountError."""
    with account_errors():
        return who(session)


def who(session: Session) -> str:
    """As `identify`, but raises what boto3 does."""
    # STS alone would answer without a region.
    if not session.region_name:
        raise NoRegionError
    identity = session.client("sts").get_caller_identity()
    return f"{identity['Account']} in {session.region_name}, as {identity['Arn']}"


@contextmanager
def account_errors(needed: str = "") -> Iterator[None]:
    """Turn what boto3 raises into AccountError, which says what to do; `needed` are a command's permissions."""
    try:
        yield
    except (BotoCoreError, ClientError) as exc:
        raise AccountError(f"{str(exc).rstrip('.')}; {remedy(exc, needed)}") from exc


def remedy(reason: BotoCoreError | ClientError, needed: str = "") -> str:
    """Say what to do about an error of boto3."""
    if isinstance(reason, ClientError):
        return SIGN_IN if refuses_credentials(reason) else f"needed are {needed or 'more permissions'}"
    return next((advice for kinds, advice in REMEDIES.items() if isinstance(reason, kinds)), SET)


def refuses_credentials(reason: ClientError) -> bool:
    """Whether AWS does not know, or no longer takes, the credentials themselves."""
    return reason.response.get("Error", {}).get("Code") in REFUSED_CREDENTIALS
