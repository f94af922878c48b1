"""Media types: what a body is, whether an answer is text, and what API Gateway passes on as bytes."""

from collections.abc import Iterable
from dataclasses import dataclass, field

JSON = "application/json"
CSV = "text/csv"
JSON_LINES = frozenset({"application/jsonlines", "application/x-jsonlines", "application/x-ndjson"})
MULTIPART = "multipart/form-data"
# The binary media types of template.yaml; a test compares. Any other body and answer travels as text there.
BINARY = (
    "application/octet-stream",
    "application/pdf",
    "application/vnd.apache.parquet",
    "application/x-npy",
    "application/x-npz",
    "application/zip",
    "audio/mpeg",
    "audio/ogg",
    "audio/wav",
    "audio/x-wav",
    "image/bmp",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/tiff",
    "image/webp",
    MULTIPART,
)


@dataclass(frozen=True, slots=True)
class MediaType:
    """A media type in lower case; `text` as it was sent."""

    text: str
    name: str
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def is_json(self) -> bool:
        return self.name == JSON or self.name.endswith("+json")


def parse(header: str) -> MediaType:
    """Read a Content-Type; a missing one is JSON, to API Gateway too."""
    name, *rest = (header.strip() or JSON).split(";")
    pairs = (part.partition("=") for part in rest)
    parameters = {key.strip().lower(): value.strip().strip('"') for key, _, value in pairs}
    return MediaType(header.strip() or JSON, name.strip().lower(), parameters)


def is_text(name: str) -> bool:
    """Say whether what has this media type is text for certain."""
    return name.startswith("text/") or name.endswith(("/json", "+json", "/xml", "+xml")) or name in JSON_LINES


def first_of(accept: str) -> str:
    """Return the first media type of Accept: API Gateway decides by it whether an answer may be bytes."""
    return accept.partition(",")[0].partition(";")[0].strip().lower()


def matches(name: str, listed: Iterable[str]) -> bool:
    """Say whether a media type is one of the list, which may hold ranges such as image/*."""
    return any(each in (name, "*/*") or (each.endswith("/*") and name.startswith(each[:-1])) for each in listed)
