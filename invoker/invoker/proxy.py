"""API Gateway's REST proxy event in, its proxy response out; their shapes are known in this module only.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from invoker.errors import Failure, InvokerError

# Lambda's limit for a synchronous answer, and what is kept free for status, headers and punctuation.
MAX_ANSWER_BYTES = 6 * 1024 * 1024
ENVELOPE_BYTES = 4096
TOO_LARGE = f"The answer is larger than {MAX_ANSWER_BYTES} bytes, the most there can be. Send fewer rows."
# A control character in a JSON string takes six bytes (\u0000) in the string that Lambda's answer carries.
LONGEST_ESCAPE = 6

# A caller may choose API Gateway's request id, and it goes on in headers: anything unusual is replaced.
_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_XRAY = re.compile(r"Root=1-([0-9a-f]{8})-([0-9a-f]{24});Parent=([0-9a-f]{16})(?:;Sampled=([01]))?")


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    # The template's path (`/docs/{asset}`), as the route names it.
    resource: str
    parameters: Mapping[str, str]
    # Lower-cased names.
    headers: Mapping[str, str]
    text: str
    is_base64: bool
    request_id: str
    # W3C trace context, as the caller sent it or made from X-Ray's; empty where neither is there.
    traceparent: str


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


def read(event: Mapping[str, Any], *, fallback_id: str) -> Request:
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    return Request(
        method=event.get("httpMethod") or "",
        resource=event.get("resource") or event.get("path") or "",
        parameters=event.get("pathParameters") or {},
        headers=headers,
        text=event.get("body") or "",
        is_base64=bool(event.get("isBase64Encoded")),
        request_id=request_id(event, fallback_id),
        traceparent=_traceparent(headers),
    )


def request_id(event: Mapping[str, Any], fallback: str) -> str:
    """Take API Gateway's id, which it sends to the caller too; the function's own where it is missing or odd."""
    offered = (event.get("requestContext") or {}).get("requestId")
    return offered if isinstance(offered, str) and _REQUEST_ID.fullmatch(offered) else fallback


def _traceparent(headers: Mapping[str, str]) -> str:
    offered = headers.get("traceparent", "")
    if _TRACEPARENT.fullmatch(offered):
        return offered
    if found := _XRAY.search(headers.get("x-amzn-trace-id", "")):
        time, unique, parent, sampled = found.groups()
        return f"00-{time}{unique}-{parent}-0{sampled or 0}"
    return ""


def body(request: Request, *, max_bytes: int) -> bytes:
    """Return the caller's bytes.

    Raise InvokerError when there are none to use. A request without a
    Content-Type is JSON to API Gateway too.
    """
    media_type = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise InvokerError(Failure.MEDIA_TYPE, f"Content-Type is {media_type[:100]!r}: expected application/json.")
    try:
        # An event may hold half a surrogate pair, which no UTF-8 has.
        content = request.text.encode()
        if request.is_base64:
            content = base64.b64decode(content, validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise InvokerError(Failure.BAD_REQUEST, "The body cannot be decoded: expected UTF-8 text.") from error
    if len(content) > max_bytes:
        detail = f"The body has {len(content)} bytes, at most {max_bytes} are taken. Send fewer rows."
        raise InvokerError(Failure.BODY_TOO_LARGE, detail)
    return content


def problem(error: InvokerError, *, request_id: str) -> Response:
    text = json.dumps(error.document(request_id))
    return Response(error.status, text, error.headers, "application/problem+json")


def write(response: Response, headers: Mapping[str, str]) -> dict[str, Any]:
    return {
        "statusCode": response.status,
        "headers": {"Content-Type": response.content_type, **headers, **response.headers},
        "body": response.body,
        "isBase64Encoded": False,
    }


def answer(content: bytes) -> Response:
    """Pass the container's JSON on as it is.

    Raise InvokerError when it is no text, or when Lambda would refuse it: the limit counts it as the JSON string it
    becomes in the function's own answer.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise InvokerError(Failure.FAILED, "The endpoint's answer is not UTF-8 text.") from error
    limit = MAX_ANSWER_BYTES - ENVELOPE_BYTES
    if len(content) * LONGEST_ESCAPE > limit and len(json.dumps(text, ensure_ascii=False).encode()) > limit:
        raise InvokerError(Failure.FAILED, TOO_LARGE)
    return Response(200, text)
