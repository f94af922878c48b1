"""JSON as RFC 8259 has it, read from bytes; what is not JSON is refused with what it looks like and what to send."""

import json
import re
from collections import Counter
from typing import Any

from pydantic_core import from_json

from invoker.errors import Failure, InvokerError

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
GZIP = b"\x1f\x8b"
# Bytes before and after the place of an error in which its cause stands.
NEAR = 12
MAX_NAME = 80
NO_NAN = (
    " JSON has no NaN and no Infinity: send null for a missing value, "
    'as df.to_json(orient="records") of pandas writes it.'
)
VALID = " Valid JSON has double quotes, and `null` instead of NaN."
HINTS = (
    (re.compile(rb"\s*[\[{]?\s*'|'\s*:"), " JSON has double quotes: send json.dumps(...), not str(...)."),
    (re.compile(rb"\s*[A-Za-z_]\w*="), " It looks like a form: send the JSON itself, with --data-binary in curl."),
    (re.compile(rb"[^\n\[{]*,[^\n]*(\n|$)"), " It looks like CSV: send it with Content-Type: text/csv."),
)


def parse(body: bytes, what: str = "The body") -> Any:
    """Return the value; raise InvokerError when the bytes are not JSON, or an object has a name twice."""
    text = body.removeprefix(BYTE_ORDER_MARK)
    try:
        value = from_json(text, allow_inf_nan=False)
    except ValueError as error:
        raise _bad(f"{what} is not JSON: {error}.{_hint(text, str(error))}") from error
    # A name stands before each colon, unless the colon is in a string.
    if _names(value) != text.count(b":"):
        _read_strictly(text, what)
    return value


def _hint(text: bytes, message: str) -> str:
    if text.startswith(GZIP):
        return " It looks compressed: name the compression in Content-Encoding."
    line, column = map(int, re.findall(r"\d+", message.rpartition(" at ")[2])[:2] or (1, 0))
    lines = text.split(b"\n", line)
    near = lines[line - 1][max(0, column - NEAR) : column + NEAR] if len(lines) >= line else b""
    if b"NaN" in near or b"Infinity" in near:
        return NO_NAN
    return next((hint for pattern, hint in HINTS if pattern.match(text[:1000])), VALID)


def _names(value: Any) -> int:
    """Count the names where a table has them: in the outermost object, in one inside it, and in a list of records."""
    if isinstance(value, dict):
        return len(value) + sum(_names(inner) for inner in value.values() if isinstance(inner, dict | list))
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return sum(len(item) for item in value if isinstance(item, dict))
    return 0


def _read_strictly(text: bytes, what: str) -> None:
    try:
        json.loads(text, object_pairs_hook=_unique)
    except RecursionError as error:
        raise _bad(f"{what} is nested too deeply.") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        name, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise _bad(f'The name "{name[:MAX_NAME]}" stands more than once in an object.')
    return fields


def _bad(detail: str) -> InvokerError:
    return InvokerError(Failure.BAD_REQUEST, detail)
