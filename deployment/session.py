"""The AWS account as this machine's settings name it, and what boto3 says when they are wrong as one line."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import boto3
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    LoginError,
    NoRegionError,
    ParamValidationError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)
from botocore.parsers import ResponseParserError

from deployment.errors import AccountError
from deployment.settings import ENVIRON

SET = "set credentials and a region, for instance AWS_PROFILE and AWS_REGION"
SIGN_IN = "sign in again, for instance with `aws sso login`, or renew the keys"
REMEDIES = {
    (SSOError, LoginError, TokenRetrievalError): SIGN_IN,
    (NoRegionError,): "set one, for instance AWS_REGION=eu-west-1",
    (ParamValidationError,): "correct the value that it names",
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


THROTTLED = frozenset(
    {"RequestLimitExceeded", "SlowDown", "Throttling", "ThrottlingException", "ThrottledException", "TooManyRequests"}
)
NOT_AWS = "the answer is not AWS's: something on the way, such as a proxy, answered instead"
PROXY = "check HTTPS_PROXY, NO_PROXY and the network, and sign in to the proxy where it asks for that"
# What boto3 raises of its own, in its three families.
Refusal = (BotoCoreError, ClientError, ResponseParserError)


class Session(Protocol):
    """What is used of boto3.Session."""

    @property
    def region_name(self) -> str:
        """The region that is asked; empty or None when nothing names one."""

    def client(self, service_name: Any) -> Any:
        """Return a client of a service."""


def open_session(region: str = "") -> boto3.Session:
    """Return boto3's session, of `region` where one is named; raises AccountError where AWS_PROFILE names none.

    boto3 reads AWS_DEFAULT_REGION, most other programs AWS_REGION: here both are one.
    """
    with account_errors():
        session = boto3.Session(region_name=region or ENVIRON.get("AWS_REGION") or None)
    session.events.register("before-parse", refuse_pages)
    return session


def refuse_pages(response_dict: Mapping[str, Any], **_: Any) -> None:
    """Raise ResponseParserError for a page, which no service of AWS sends: some of them parse, as something else."""
    body = response_dict["body"]
    # The body and not its media type: stand-ins for AWS name a wrong one.
    begins = body.lstrip()[:15].lower() if isinstance(body, bytes) else b""
    if begins.startswith((b"<!doctype html", b"<html")):
        raise ResponseParserError(NOT_AWS)


def identify(session: Session) -> str:
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
    except Refusal as error:
        raise AccountError(explain(error, needed)) from error


def explain(reason: Exception, needed: str = "") -> str:
    """Return an error of boto3 as one sentence with its remedy."""
    if isinstance(reason, ResponseParserError):
        return f"{NOT_AWS}; {PROXY}"
    said = " ".join(str(reason).split()).rstrip(".")
    return f"{said}; {remedy(reason, needed)}"


def remedy(reason: Exception, needed: str = "") -> str:
    """Say what to do about an error of boto3."""
    if isinstance(reason, ResponseParserError):
        return PROXY
    if isinstance(reason, ClientError):
        if is_throttled(reason):
            return "wait a minute and try again"
        return SIGN_IN if refuses_credentials(reason) else f"needed are {needed or 'more permissions'}"
    return next((advice for kinds, advice in REMEDIES.items() if isinstance(reason, kinds)), SET)


def refuses_credentials(reason: ClientError) -> bool:
    """Whether AWS does not know, or no longer takes, the credentials themselves."""
    return reason.response.get("Error", {}).get("Code") in REFUSED_CREDENTIALS


def is_throttled(reason: ClientError) -> bool:
    """Whether AWS asks to be asked less often."""
    return reason.response.get("Error", {}).get("Code") in THROTTLED
