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

from invoker import media_types, multipart
from invoker.errors import Failure, InvokerError
from invoker.media_types import MediaType

# Lambda's limit for a synchronous answer, and what is kept free for status, headers and punctuation.
MAX_ANSWER_BYTES = 6 * 1024 * 1024
ENVELOPE_BYTES = 4096
TOO_LARGE = f"The answer is larger than {MAX_ANSWER_BYTES} bytes, the most there can be. Send fewer rows."
# As base64 they take a third more.
BYTES_TOO_LARGE = (
    f"The answer has more than {MAX_ANSWER_BYTES * 3 // 4} bytes, the most that bytes can be. Ask for less."
)
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
MAX_HEADER = 1024
ENCODINGS = ("", "identity", "gzip", "x-gzip", "deflate")
# API Gateway puts it in place of bytes that are not UTF-8.
REPLACEMENT = "\ufffd"
# A control character in a JSON string takes six bytes (\u0000) in the string that Lambda's answer carries.
LONGEST_ESCAPE = 6

# A caller may choose API Gateway's request id, and it goes on in headers: anything unusual is replaced.
_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?|\[[0-9a-fA-F:]+\](:[0-9]{1,5})?")
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
    # Where the API was asked, without the route.
    base_url: str = "."
    query: Mapping[str, str] = field(default_factory=dict)
    # What API Gateway knows of the request, its caller included.
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = media_types.JSON
    is_base64: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """What the caller sends to the model, and in which media types the caller takes the answer."""

    content: bytes
    media_type: MediaType
    accept: str


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
        base_url=base_url(event, headers),
        query=event.get("queryStringParameters") or {},
        context=event.get("requestContext") or {},
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


def body(request: Request, *, max_bytes: int) -> Body:
    """Return the caller's bytes and what they are; raise InvokerError when there are none to use."""
    _check_encoding(request)
    media_type = media_types.parse(_header(request, "content-type", media_types.JSON))
    content = _content(request, media_type)
    if len(content) > max_bytes:
        detail = f"The body has {len(content)} bytes, at most {max_bytes} are taken. Send fewer rows."
        raise InvokerError(Failure.BODY_TOO_LARGE, detail)
    if media_type.name == media_types.MULTIPART:
        content, media_type = multipart.unwrap(content, media_type)
    return Body(content, media_type, _header(request, "accept", ""))


def _check_encoding(request: Request) -> None:
    """API Gateway undoes gzip and deflate; what arrives compressed in another way is not read."""
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding not in ENCODINGS:
        detail = f"Content-Encoding {encoding[:40]!r} is not known: send gzip, deflate, or the body as it is."
        raise InvokerError(Failure.MEDIA_TYPE, detail)


def _header(request: Request, name: str, default: str) -> str:
    value = request.headers.get(name, default)
    if len(value) > MAX_HEADER or not value.isascii():
        raise InvokerError(Failure.BAD_REQUEST, f"{name.title()}: expected at most {MAX_HEADER} ASCII characters.")
    return value


def _content(request: Request, media_type: MediaType) -> bytes:
    try:
        if request.is_base64:
            return base64.b64decode(request.text, validate=True)
        # An event may hold half a surrogate pair, which no UTF-8 has.
        content = request.text.encode()
    except (ValueError, binascii.Error) as error:
        raise InvokerError(Failure.BAD_REQUEST, "The body cannot be decoded: expected UTF-8 text.") from error
    if REPLACEMENT in request.text:
        # What is not UTF-8 was replaced on the way: the body is another one than the caller sent.
        raise InvokerError(
            Failure.BAD_REQUEST,
            f"The body is not UTF-8 text, and {media_type.name[:80]} travels as text. "
            "Send text in UTF-8, or bytes as application/octet-stream or multipart/form-data.",
        )
    return content


def problem(error: InvokerError, *, request_id: str) -> Response:
    text = json.dumps(error.document(request_id))
    return Response(error.status, text, error.headers, "application/problem+json")


def write(response: Response, headers: Mapping[str, str]) -> dict[str, Any]:
    return {
        "statusCode": response.status,
        "headers": {"Content-Type": response.content_type, **headers, **response.headers},
        "body": response.body,
        "isBase64Encoded": response.is_base64,
    }


def answer(content: bytes, content_type: str, *, accept: str) -> Response:
    """Pass the container's answer on: text as it is, bytes as base64 where API Gateway decodes them again.

    Raise InvokerError when Lambda would refuse it, or when the caller would get base64 for bytes.
    """
    media_type = media_types.parse(content_type)
    text = None if media_types.matches(media_type.name, media_types.BINARY) else _decoded(content)
    limit = MAX_ANSWER_BYTES - ENVELOPE_BYTES
    if text is None and media_types.is_text(media_type.name):
        raise InvokerError(Failure.FAILED, "The endpoint's answer is not UTF-8 text.")
    if text is None:
        if not media_types.matches(media_types.first_of(accept), media_types.BINARY):
            detail = f"The answer is {media_type.name}: name it first in Accept, as in Accept: {media_type.name}."
            raise InvokerError(Failure.NOT_ACCEPTABLE, detail)
        encoded = base64.b64encode(content).decode()
        if len(encoded) > limit:
            raise InvokerError(Failure.FAILED, BYTES_TOO_LARGE)
        return Response(200, encoded, content_type=content_type, is_base64=True)
    if len(content) * LONGEST_ESCAPE > limit and len(json.dumps(text, ensure_ascii=False).encode()) > limit:
        raise InvokerError(Failure.FAILED, TOO_LARGE)
    return Response(200, text, content_type=content_type or media_types.JSON)


def _decoded(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def base_url(event: Mapping[str, Any], headers: Mapping[str, str]) -> str:
    """Return where the API was asked, without the path of the route: stage and base path included.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
    """
    context = event.get("requestContext") or {}
    host = headers.get("host") or context.get("domainName") or ""
    path = str(context.get("path") or event.get("path") or "")
    # The stage stands in the context's path only; a base path of one's own domain in the event's path too.
    prefix = path.removesuffix(str(event.get("resource") or ""))
    scheme = headers.get("x-forwarded-proto", "https")
    return f"{scheme}://{host}{prefix.rstrip('/')}" if _HOST.fullmatch(host) and scheme in ("http", "https") else "."
