"""A file that a form brings: `curl -F file=@cat.png`."""

import pytest

from invoker import media_types, multipart
from invoker.errors import Failure
from invoker.media_types import MediaType
from tests.failing import failing

BOUNDARY = "------------------------d74496d66958873e"
TYPE = media_types.parse(f'multipart/form-data; boundary="{BOUNDARY}"')
BYTES = b"\x89PNG\r\n\x1a\n\x00--" + BOUNDARY[:5].encode() + b"\r\n\r\nrest"


def part(content: bytes, *, disposition: str = 'form-data; name="file"; filename="cat.png"', type_: str = "") -> bytes:
    line = f"Content-Type: {type_}\r\n" if type_ else ""
    head = f"--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\n{line}\r\n"
    return head.encode() + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def test_the_file_comes_out_byte_by_byte_with_its_own_type() -> None:
    content, media_type = multipart.unwrap(form(part(BYTES, type_="image/png")), TYPE)

    assert (content, media_type) == (BYTES, MediaType("image/png", "image/png"))


def test_a_file_without_a_type_is_bytes() -> None:
    assert multipart.unwrap(form(part(b"")), TYPE) == (b"", media_types.parse("application/octet-stream"))


@pytest.mark.parametrize(
    ("body", "got"),
    [
        (form(), "got 0 files and 0 other fields"),
        (form(part(b"x", disposition='form-data; name="a"')), "got 0 files and 1 other fields"),
        (form(part(b"x"), part(b"y")), "got 2 files and 0 other fields"),
        (form(part(b"x"), part(b"y", disposition='form-data; name="a"')), "got 1 files and 1 other fields"),
        (part(b"x"), "without its closing boundary"),
        (b"", "without its closing boundary"),
        (f"--{BOUNDARY}\r\nx\r\n--{BOUNDARY}--".encode(), "a part without headers"),
    ],
)
def test_anything_but_one_file_is_refused(body: bytes, got: str) -> None:
    with failing(Failure.BAD_REQUEST, match=got):
        multipart.unwrap(body, TYPE)


def test_a_type_without_a_boundary_is_refused() -> None:
    with failing(Failure.BAD_REQUEST, match="no boundary"):
        multipart.unwrap(form(part(b"x")), media_types.parse("multipart/form-data"))
