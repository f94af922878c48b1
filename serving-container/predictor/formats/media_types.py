"""Content-Type and Accept: what a body is, and what the caller would have back (RFC 9110, sections 8.3 and 12.5.1)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from predictor.errors import NotAcceptableError, UnsupportedMediaTypeError

JSON = "application/json"
UTF_8 = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
CACHED_HEADERS = 256
"""Distinct header values remembered; clients send the same few again and again."""
NAMED = 3
"""How specific a range is that names its media type."""


@dataclass(frozen=True, slots=True)
class MediaType:
    """A media type in lower case; `parameters` as sent, their names in lower case."""

    name: str
    parameters: dict[str, str] = field(default_factory=dict)


@lru_cache(CACHED_HEADERS)
def parse(header: str | None) -> MediaType:
    """Read a Content-Type; a missing one is JSON. Raises UnsupportedMediaTypeError for a charset other than UTF-8."""
    name, *rest = (header or JSON).split(";")
    pairs = (part.partition("=") for part in rest)
    parameters = {key.strip().lower(): value.strip().strip('"') for key, _, value in pairs}
    charset = parameters.get("charset", "utf-8").lower()
    if charset not in UTF_8:
        raise UnsupportedMediaTypeError(f'The charset "{charset[:40]}" cannot be read: send UTF-8.')
    return MediaType(name.strip().lower() or JSON, parameters)


@lru_cache(CACHED_HEADERS)
def choose(accept: str | None, offered: Sequence[str]) -> str:
    """Choose of the media types on offer, best first, the one that Accept likes most.

    By q-value, then the more specific range, then JSON, then the order in Accept, then the order on offer. Equal
    q-values say nothing of order (RFC 9110, section 12.5.1), and a client that takes JSON as well as CSV may be pandas,
    which would take the first prediction for a header. A missing or empty Accept takes the first on offer. Raises
    NotAcceptableError.
    """
    ranges = list(map(_range, (accept or "*/*").split(",")))
    ranked = [(_rank(name, ranges), name) for name in offered]
    best, name = max(ranked, key=lambda candidate: candidate[0])
    if best[0] <= 0:
        shown = ", ".join(dict.fromkeys(offered))
        raise NotAcceptableError(f'Nothing in the Accept header "{str(accept)[:200]}" can be written: ask for {shown}.')
    return name


@lru_cache(CACHED_HEADERS)
def first_choice(accept: str | None, default: str = JSON) -> str:
    """The media type that Accept likes most, for code that takes a single one; the default when it has no opinion."""
    ranges = [(quality, name == JSON, name) for name, quality in map(_range, (accept or "*/*").split(","))]
    name = max(ranges, key=lambda choice: choice[:2])[2]
    return default if "*" in name or not name else name


def _range(text: str) -> tuple[str, float]:
    name, *parameters = text.split(";")
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "q":
            return name.strip().lower(), _quality(value)
    return name.strip().lower(), 1.0


def _quality(value: str) -> float:
    """A q-value, 0 to 1; one that cannot be read counts as 0."""
    try:
        quality = float(value)
    except ValueError:
        return 0.0
    return quality if 0 <= quality <= 1 else 0.0


def _rank(name: str, ranges: list[tuple[str, float]]) -> tuple[float, int, bool, int]:
    """How well a media type fits: q-value of the most specific range that matches, specificity, JSON, order."""
    group = name.partition("/")[0] + "/*"
    specificity = {name: NAMED, group: 2, "*/*": 1, "": 1}
    matches = [(specificity[text], -index, q) for index, (text, q) in enumerate(ranges) if text in specificity]
    if not matches:
        return 0.0, 0, False, 0
    specific, order, quality = max(matches)
    return quality, specific, specific == NAMED and name == JSON, order
