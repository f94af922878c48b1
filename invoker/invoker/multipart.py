"""multipart/form-data with one file, as `curl -F file=@cat.png` sends it (RFC 7578): the file's bytes and its type."""

import re

from invoker import media_types
from invoker.errors import Failure, InvokerError
from invoker.media_types import MediaType

OCTETS = "application/octet-stream"
EXPECTED = "multipart/form-data: expected one file, as curl -F file=@NAME sends it"
FILE_NAME = re.compile(rb";\s*filename\*?=", re.IGNORECASE)
HEADER = re.compile(rb"^([A-Za-z-]+):[ \t]*(.*?)[ \t]*$", re.MULTILINE)


def unwrap(content: bytes, media_type: MediaType) -> tuple[bytes, MediaType]:
    """Return the one file of a form; raise InvokerError where there is none, or more than that."""
    boundary = media_type.parameters.get("boundary", "")
    if not boundary:
        raise _refused("got no boundary in Content-Type; let the client write this header")
    _, *parts = (b"\r\n" + content).split(b"\r\n--" + boundary.encode())
    if not parts or not parts[-1].startswith(b"--"):
        raise _refused("got a body without its closing boundary")
    files = [_read(part) for part in parts[:-1]]
    found = [file for file in files if file is not None]
    if len(found) != 1 or len(files) != 1:
        raise _refused(f"got {len(found)} files and {len(files) - len(found)} other fields")
    return found[0]


def _read(part: bytes) -> tuple[bytes, MediaType] | None:
    """Return a part's bytes and type; None where it is not a file."""
    head, separator, content = part.partition(b"\r\n\r\n")
    if not separator:
        raise _refused("got a part without headers")
    headers = {name.lower(): value for name, value in HEADER.findall(head.replace(b"\r\n", b"\n"))}
    if not FILE_NAME.search(headers.get(b"content-disposition", b"")):
        return None
    return content, media_types.parse(headers.get(b"content-type", OCTETS.encode()).decode("latin-1"))


def _refused(got: str) -> InvokerError:
    return InvokerError(Failure.BAD_REQUEST, f"{EXPECTED}, {got}.")
