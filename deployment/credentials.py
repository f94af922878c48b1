"""What a caller shows the API, one kind for each value of the parameter Auth."""

from collections.abc import Generator
from dataclasses import dataclass, field

import boto3
import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from deployment.errors import UnreadableError


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
    """Sign with what boto3 finds; raises UnreadableError when there are no credentials or no region."""
    session = boto3.Session()
    credentials = session.get_credentials()
    if credentials is None or session.region_name is None:
        raise UnreadableError("no AWS credentials or no region; set AWS_PROFILE and AWS_REGION")
    frozen = credentials.get_frozen_credentials()
    return Signature(Credentials(frozen.access_key or "", frozen.secret_key or "", frozen.token), session.region_name)
