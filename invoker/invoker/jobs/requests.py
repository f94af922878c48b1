"""What a caller asks of /jobs besides the body: query parameters, keys of an upload, headers. The odd is refused."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from invoker import media_types, strict_json
from invoker.errors import Failure, InvokerError, Problem
from invoker.jobs.job import ID
from invoker.jobs.store import Place
from invoker.model_schema import ModelSchema
from invoker.proxy import MAX_HEADER, Body, Request

# https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference.html
MAX_UPLOAD_BYTES = 1_073_741_824
MAX_KEY = 255
MAX_PAGE = 100
DEFAULT_PAGE = 20
ON_ERROR = ("stop", "skip")
LINES = "application/jsonlines"
UPLOAD_KEYS = ("content_type", "bytes", "accept", "on_error", "callback")
NO_CALLBACK = "expected no callback: this API calls nobody back, ask GET /jobs/{id} instead"


@dataclass(frozen=True, slots=True)
class UploadWish:
    """The body of POST /jobs/uploads."""

    content_type: str
    bytes: int
    accept: str
    on_error: str


def idempotency_key(request: Request) -> str:
    """Return the header Idempotency-Key; empty where there is none."""
    key = request.headers.get("idempotency-key", "")
    if len(key) > MAX_KEY or not key.isascii() or not key.isprintable():
        raise InvokerError(
            Failure.BAD_REQUEST, f"Idempotency-Key: expected at most {MAX_KEY} printable ASCII characters."
        )
    return key


def read_on_error(request: Request) -> str:
    """Read the query parameters of POST /jobs."""
    _check_names(request.query, ("on_error", "callback"))
    if "callback" in request.query:
        raise _refused("callback", NO_CALLBACK)
    return _choice(request.query.get("on_error", "stop"))


def upload(body: Body, schema: ModelSchema | None) -> UploadWish:
    """Read the body of POST /jobs/uploads."""
    wish = strict_json.parse(body.content)
    if not isinstance(wish, dict):
        raise _refused("", 'expected an object such as {"content_type": "text/csv", "bytes": 1048576}')
    _check_names(wish, UPLOAD_KEYS)
    if wish.get("callback") is not None:
        raise _refused("callback", NO_CALLBACK)
    size = wish.get("bytes")
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise _refused("bytes", "expected the file's size, a whole number of at least 1")
    content_type = _media_type(wish, "content_type")
    if not content_type:
        raise _refused("content_type", "expected the file's media type, such as text/csv")
    limit = min(MAX_UPLOAD_BYTES, (schema.max_bytes if schema else None) or MAX_UPLOAD_BYTES)
    if size > limit:
        raise InvokerError(Failure.BODY_TOO_LARGE, f"The file has {size} bytes; at most {limit} are taken.")
    accept, on_error = _media_type(wish, "accept"), _choice(wish.get("on_error") or "stop")
    check_skip(on_error, content_type, accept)
    return UploadWish(content_type, size, accept, on_error)


def check_skip(on_error: str, content_type: str, accept: str) -> None:
    """Refuse on_error=skip where an answer has no line for each record, or where the first line is a header."""
    if on_error != "skip":
        return
    media_type = media_types.parse(content_type)
    headless = media_type.name == media_types.CSV and media_type.parameters.get("header") == "absent"
    if not headless and media_type.name not in media_types.JSON_LINES:
        raise _refused("on_error", "skip needs application/jsonlines, or text/csv; header=absent")
    if accept not in ("", "*/*", LINES):
        raise _refused("on_error", f"skip is answered as {LINES}: name it in Accept, or nothing")


def job_id(request: Request) -> str:
    """Return the id in the path; anything that is no id is an unknown job."""
    text = request.parameters.get("id", "")
    if not ID.fullmatch(text):
        raise unknown()
    return text


def page(request: Request) -> tuple[int, Place | None]:
    """Read the query parameters of GET /jobs: how many, and after which."""
    _check_names(request.query, ("limit", "after"))
    limit = request.query.get("limit", str(DEFAULT_PAGE))
    if not (limit.isascii() and limit.isdigit() and len(limit) < MAX_DIGITS and 1 <= int(limit) <= MAX_PAGE):
        raise _refused("limit", f"expected a whole number from 1 to {MAX_PAGE}")
    after = request.query.get("after")
    return int(limit), None if after is None else _place(after)


def cursor(place: Place) -> str:
    return base64.urlsafe_b64encode(f"{place[0]}.{place[1]}".encode()).decode()


def unknown() -> InvokerError:
    """Return the error of an id that nobody has, or that another caller has: the two cannot be told apart."""
    return InvokerError(Failure.UNKNOWN_PATH, "There is no such job, or its time is over.")


def _place(text: str) -> Place:
    try:
        created, _, last = base64.b64decode(text, altchars=b"-_", validate=True).decode("ascii").partition(".")
    except (binascii.Error, ValueError) as error:
        raise _refused("after", "expected what `next` of the page before says") from error
    if not (created.isdigit() and len(created) < MAX_DIGITS and ID.fullmatch(last)):
        raise _refused("after", "expected what `next` of the page before says")
    return int(created), last


# Milliseconds of a far future.
MAX_DIGITS = 16


def _media_type(wish: Mapping[str, Any], name: str) -> str:
    value = wish.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > MAX_HEADER or not value.isascii() or not value.isprintable():
        raise _refused(name, "expected a media type, such as text/csv")
    return media_types.parse(value).text if value.strip() else ""


def _choice(value: Any) -> str:
    if value not in ON_ERROR:
        raise _refused("on_error", f"expected {' or '.join(ON_ERROR)}, got {json.dumps(value)[:80]}")
    return str(value)


def _check_names(given: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for name in given:
        if name not in known:
            raise _refused(name, f"expected one of {', '.join(known)}")


def _refused(name: str, detail: str) -> InvokerError:
    pointer = f"/{name.replace('~', '~0').replace('/', '~1')[:MAX_KEY]}" if name else ""
    text = f"{name[:MAX_KEY]}: {detail}." if name else f"{detail[0].upper()}{detail[1:]}."
    return InvokerError(Failure.BAD_REQUEST, text, [Problem(pointer, detail)])
