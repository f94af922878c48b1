"""HTTP request -> Lambda proxy event, and the function's answer -> HTTP response, as API Gateway's REST APIs do it.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

import base64
import binascii
import json
import re
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from local.errors import FunctionError

T = TypeVar("T")
ACCOUNT_ID = "000000000000"
API_ID = "local"
# Response headers that API Gateway renames, because it sets them itself.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
REMAPPED = frozenset({"authorization", "connection", "content-md5", "date", "host", "server", "www-authenticate"})
# https://www.rfc-editor.org/rfc/rfc9110#section-5
HEADER_NAME = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
HEADER_VALUE = r"[\t\x20-\x7e\x80-\xff]*"
# Set by the HTTP server from the body that is really sent.
FRAMING = frozenset({"content-length", "transfer-encoding"})


@dataclass(frozen=True, slots=True)
class Incoming:
    """An HTTP request that the gateway took in; header names as a client writes them in HTTP/1.1."""

    request_id: str
    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    body: bytes
    protocol: str
    source_ip: str
    # Of the key that the caller has shown; empty where none is asked for.
    api_key_id: str = ""

    def header(self, name: str, default: str = "") -> str:
        """Return the header's last value; `name` in any case."""
        return next((value for key, value in reversed(self.headers) if key.lower() == name.lower()), default)

    @property
    def media_type(self) -> str:
        """Content-Type without parameters, in lower case; API Gateway takes a missing one for JSON."""
        return self.header("content-type", "application/json").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An HTTP response on its way to the caller."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the API a request arrived."""

    resource: str
    stage: str
    path_parameters: Mapping[str, str]


def proxy_event(incoming: Incoming, place: Place, *, binary: bool) -> dict[str, Any]:
    """Return the event for the function; a `binary` body travels as base64, any other as text."""
    query = parse_qsl(incoming.query, keep_blank_values=True)
    return {
        "resource": place.resource,
        "path": incoming.path,
        "httpMethod": incoming.method,
        "headers": dict(incoming.headers) or None,
        "multiValueHeaders": _grouped(incoming.headers),
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": _grouped(query),
        "pathParameters": dict(place.path_parameters) or None,
        "stageVariables": None,
        "requestContext": _request_context(incoming, place),
        "body": _event_body(incoming.body, binary=binary),
        "isBase64Encoded": binary and bool(incoming.body),
    }


def response(answer: Any, *, accept: str, binary_types: Iterable[str]) -> Outgoing:
    """Turn the function's answer into HTTP; raise FunctionError where API Gateway answers 502."""
    if not isinstance(answer, dict):
        raise FunctionError(f"expected an object, not {type(answer).__name__}")
    body = _field(answer, "body", str)
    decode = bool(answer.get("isBase64Encoded")) and is_binary(_first_media_type(accept), binary_types)
    return Outgoing(_status(answer), _answer_headers(answer), _decoded(body) if decode else body.encode())


def is_binary(media_type: str, binary_types: Iterable[str]) -> bool:
    """Say whether API Gateway treats this media type as binary."""
    return any(
        binary in (media_type, "*/*") or (binary.endswith("/*") and media_type.startswith(binary[:-1]))
        for binary in binary_types
    )


def _event_body(body: bytes, *, binary: bool) -> str | None:
    if not body:
        return None
    return base64.b64encode(body).decode() if binary else body.decode(errors="replace")


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]] | None:
    groups: dict[str, list[str]] = {}
    for name, value in pairs:
        groups.setdefault(name, []).append(value)
    return groups or None


def _request_context(incoming: Incoming, place: Place) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "accountId": ACCOUNT_ID,
        "apiId": API_ID,
        "domainName": incoming.header("host"),
        "domainPrefix": API_ID,
        "extendedRequestId": uuid.uuid4().hex[:15] + "=",
        "httpMethod": incoming.method,
        "identity": _identity(incoming),
        # As behind a domain of one's own: no stage stands in front of a path.
        "path": incoming.path,
        "protocol": incoming.protocol,
        "requestId": incoming.request_id,
        "requestTime": now.strftime("%d/%b/%Y:%H:%M:%S %z"),
        "requestTimeEpoch": int(time.time() * 1000),
        "resourceId": "local",
        "resourcePath": place.resource,
        "stage": place.stage,
    }


def _identity(incoming: Incoming) -> dict[str, str | None]:
    names = (
        "accessKey",
        "accountId",
        "caller",
        "cognitoAuthenticationProvider",
        "cognitoAuthenticationType",
        "cognitoIdentityId",
        "cognitoIdentityPoolId",
        "principalOrgId",
        "user",
        "userArn",
    )
    known = {"sourceIp": incoming.source_ip, "userAgent": incoming.header("user-agent") or None}
    if incoming.api_key_id:
        known |= {"apiKey": incoming.header("x-api-key"), "apiKeyId": incoming.api_key_id}
    return dict.fromkeys(names) | known


def _field(answer: Mapping[str, Any], name: str, kind: type[T]) -> T:
    value = answer.get(name)
    if value is None:
        return kind()
    if not isinstance(value, kind):
        raise FunctionError(f"{name} is {type(value).__name__}, not {kind.__name__}")
    return value


def _status(answer: Mapping[str, Any]) -> int:
    text = str(answer.get("statusCode"))
    if not re.fullmatch("[1-5][0-9][0-9]", text):
        raise FunctionError(f"statusCode is {text}")
    return int(text)


def _answer_headers(answer: Mapping[str, Any]) -> list[tuple[str, str]]:
    multi = _field(answer, "multiValueHeaders", dict)
    pairs = [(name, value) for name in multi for value in _field(multi, name, list)]
    pairs += [(name, value) for name, value in _field(answer, "headers", dict).items() if name not in multi]
    for name, value in pairs:
        if not isinstance(value, str | int | float | bool):
            raise FunctionError(f"header {name} is {type(value).__name__}")
        if not (re.fullmatch(HEADER_NAME, name) and re.fullmatch(HEADER_VALUE, _text(value))):
            raise FunctionError(f"header {name!r} cannot be sent")
    return [(_renamed(name), _text(value)) for name, value in pairs if name.lower() not in FRAMING]


def _renamed(name: str) -> str:
    return f"x-amzn-Remapped-{name}" if name.lower() in REMAPPED else name


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _first_media_type(accept: str) -> str:
    """Of several types in Accept, API Gateway looks at the first only."""
    return accept.partition(",")[0].partition(";")[0].strip().lower()


def _decoded(body: str) -> bytes:
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise FunctionError("isBase64Encoded is true and the body is not base64") from error
