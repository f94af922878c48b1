"""Check a request's AWS Signature Version 4 the way the SageMaker runtime does.

Rules: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html; the messages are those AWS documents in
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPMessage

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.errors import ServiceError

ALGORITHM = "AWS4-HMAC-SHA256"
SERVICE = "sagemaker"
DATE_FORMAT = "%Y%m%dT%H%M%SZ"
MAX_SKEW = timedelta(minutes=5)
# Error codes of the runtime.
INCOMPLETE = "IncompleteSignatureException"
INVALID = "InvalidSignatureException"


@dataclass(frozen=True, slots=True)
class Account:
    """The one set of credentials that may invoke, and where it is at home."""

    access_key_id: str
    region: str
    secret_access_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as it came in: `target` is path and query still encoded; header names are in lower case."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the header's value, or None when it is missing."""
        return next((value for key, value in self.headers if key == name), None)


@dataclass(frozen=True, slots=True)
class Authorization:
    """The parts of an Authorization header."""

    access_key_id: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str


class _Signer(SigV4Auth):
    """Signs exactly the headers it is given: which ones a client signs is the client's choice."""

    def headers_to_sign(self, request: AWSRequest) -> HTTPMessage:
        return request.headers


def verify(request: SignedRequest, account: Account, now: datetime) -> None:
    """Raise a 403 unless the account's secret signed this very request within five minutes of `now`."""
    authorization = parse(request.header("authorization"))
    timestamp = _timestamp(request)
    _check_scope(authorization, account, timestamp)
    _check_age(timestamp, now)
    _check_body(request)
    if authorization.access_key_id != account.access_key_id or request.header("x-amz-security-token"):
        raise ServiceError("UnrecognizedClientException", "The security token included in the request is invalid.")
    expected = _signature(request, authorization, account, timestamp)
    if not hmac.compare_digest(expected.encode(), authorization.signature.encode()):
        raise _mismatch()


def parse(header: str | None) -> Authorization:
    """Take the Authorization header apart."""
    if not header:
        raise ServiceError("MissingAuthenticationTokenException", "Missing Authentication Token")
    algorithm, _, rest = header.partition(" ")
    if algorithm != ALGORITHM:
        raise ServiceError(INCOMPLETE, f"Authorization header requires the algorithm '{ALGORITHM}'.")
    parts = dict(re.findall(r"(\w+)=([^,\s]+)", rest))
    for name in ("Credential", "Signature", "SignedHeaders"):
        if name not in parts:
            raise ServiceError(INCOMPLETE, f"Authorization header requires '{name}' parameter.")
    match parts["Credential"].split("/"):
        case [key, date, region, service, "aws4_request"]:
            signed = tuple(parts["SignedHeaders"].lower().split(";"))
            return Authorization(key, date, region, service, signed, parts["Signature"])
        case _:
            raise ServiceError(
                INCOMPLETE,
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/aws4_request.",
            )


def _timestamp(request: SignedRequest) -> str:
    timestamp = request.header("x-amz-date")
    if timestamp is None:
        raise ServiceError(INCOMPLETE, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date'.")
    if not re.fullmatch(r"[0-9]{8}T[0-9]{6}Z", timestamp):
        raise ServiceError(INCOMPLETE, f"Date must be in ISO-8601 'basic format'. Got '{timestamp}'.")
    return timestamp


def _check_scope(authorization: Authorization, account: Account, timestamp: str) -> None:
    if authorization.date != timestamp[:8]:
        raise ServiceError(INVALID, "Date in Credential scope does not match the date of the request.")
    if authorization.region != account.region:
        raise ServiceError(INVALID, f"Credential should be scoped to a valid region, not '{authorization.region}'.")
    if authorization.service != SERVICE:
        raise ServiceError(INVALID, f"Credential should be scoped to correct service: '{SERVICE}'.")
    for name in ("host", "x-amz-date"):
        if name not in authorization.signed_headers:
            raise ServiceError(INVALID, f"'{name}' must be a 'SignedHeader' in the AWS Authorization.")


def _check_age(timestamp: str, now: datetime) -> None:
    try:
        signed_at = datetime.strptime(timestamp, DATE_FORMAT).replace(tzinfo=UTC)
    except ValueError as error:
        raise ServiceError(INCOMPLETE, f"Date is not a date: '{timestamp}'.") from error
    if signed_at < now - MAX_SKEW:
        earliest = (now - MAX_SKEW).strftime(DATE_FORMAT)
        raise ServiceError(INVALID, f"Signature expired: {timestamp} is now earlier than {earliest} (5 min.)")
    if signed_at > now + MAX_SKEW:
        latest = (now + MAX_SKEW).strftime(DATE_FORMAT)
        raise ServiceError(INVALID, f"Signature not yet current: {timestamp} is still later than {latest} (5 min.)")


def _check_body(request: SignedRequest) -> None:
    """A signed hash would otherwise stand for the body without the body being looked at."""
    stated = request.header("x-amz-content-sha256")
    if stated is not None and stated != hashlib.sha256(request.body).hexdigest():
        raise _mismatch()


def _signature(request: SignedRequest, authorization: Authorization, account: Account, timestamp: str) -> str:
    # The scheme and host in the URL are not part of what is signed; the Host header is.
    rebuilt = AWSRequest(method=request.method, url=f"http://local{request.target}", data=request.body)
    for name, value in request.headers:
        if name in authorization.signed_headers:
            rebuilt.headers.add_header(name, value)
    rebuilt.context["timestamp"] = timestamp
    signer = _Signer(Credentials(account.access_key_id, account.secret_access_key), SERVICE, account.region)
    canonical = signer.canonical_request(rebuilt)
    signature: str = signer.signature(signer.string_to_sign(rebuilt, canonical), rebuilt)
    return signature


def _mismatch() -> ServiceError:
    return ServiceError(
        INVALID,
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
        "Key and signing method. Consult the service documentation for details.",
    )
