"""What a caller shows the API, one kind for each value of the parameter Auth."""

from collections.abc import Generator
from dataclasses import dataclass, field

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import NoCredentialsError, NoRegionError

from deployment.session import account_errors, open_session


@dataclass(frozen=True, slots=True)
class Key(httpx.Auth):
    """Auth=api_key."""

    value: str = field(repr=False)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """Add the key."""
        request.headers["x-api-key"] = self.value
        yield request


@dataclass(frozen=True, slots=True)
class Token(httpx.Auth):
    """Auth=jwt and Auth=cognito: `value` is the whole header, `Bearer TOKEN` or an ID token."""

    value: str = field(repr=False)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """Add the token."""
        request.headers["Authorization"] = self.value
        yield request


class Signature(httpx.Auth):
    """Auth=iam: AWS Signature Version 4."""

    requires_request_body = True

    def __init__(self, credentials: Credentials, region: str) -> None:
        self._signer = SigV4Auth(credentials, "execute-api", region)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """Sign the request."""
        content_type = {"Content-Type": request.headers.get("Content-Type", "application/json")}
        signed = AWSRequest(request.method, str(request.url), content_type, request.content)
        self._signer.add_auth(signed)
        request.headers.update(dict(signed.headers))
        yield request


def sign_as_this_machine() -> Signature:
    """Sign with what boto3 finds; raises AccountError when there are no credentials or no region."""
    session = open_session()
    with account_errors():
        credentials = session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        if session.region_name is None:
            raise NoRegionError
        frozen = credentials.get_frozen_credentials()
    return Signature(Credentials(frozen.access_key or "", frozen.secret_key or "", frozen.token), session.region_name)


def choose(key: str, token: str, *, sign: bool) -> httpx.Auth | None:
    """Return what is shown to the API: a signature, a token or a key, or nothing."""
    if sign:
        return sign_as_this_machine()
    if token:
        return Token(token)
    return Key(key) if key else None
