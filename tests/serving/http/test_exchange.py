"""Answers as they are written: any status and any header value, and what no answer may have."""

import asyncio

import pytest

from tests.serving.http.test_connection import CLOSE, connected, status_of


@pytest.mark.parametrize("status", [200, 299, 300, 419, 499, 520, 529, 599])
def test_any_status_can_be_written(status: int) -> None:
    answer = answered(status, "text/plain", b"text")

    assert status_of(answer) == status
    assert answer.endswith(b"\r\n\r\ntext")


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_has_no_body_has_neither_body_nor_length(status: int) -> None:
    answer = answered(status, "text/plain", b"text")

    assert status_of(answer) == status
    assert b"content-length" not in answer
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("status", [0, 99, 100, 101, 102, 199, 600, 1000])
def test_a_status_that_ends_no_request_is_a_500(status: int) -> None:
    """A client waits for ever behind 1xx, which announces another answer."""
    assert status_of(answered(status, "text/plain", b"text")) == 500


@pytest.mark.parametrize(
    "value", ["\u20ac", "a\x00b", "a\x7fb", "a\r\nx-evil: 1", "a\u2028b", "\ud800", "\x85x-evil: 1"]
)
def test_any_header_value_can_be_written(value: str) -> None:
    answer = answered(200, "text/plain", b"text", ("x-name", value))

    head, _, body = answer.partition(b"\r\n\r\n")
    assert (status_of(answer), body) == (200, b"text")
    assert all(byte >= 32 and byte != 127 for line in head.split(b"\r\n") for byte in line)
    assert b"\nx-evil" not in head
    assert b"\r\nx-name: " in head


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\r\nx-evil", "\u00e4"])
def test_a_header_name_that_is_none_is_left_out(name: str) -> None:
    answer = answered(200, "text/plain", b"text", (name, "value"), ("x-name", "kept"))

    assert status_of(answer) == 200
    assert b"value" not in answer
    assert b"\r\nx-name: kept\r\n" in answer


def answered(status: int, content_type: str, body: bytes, *headers: tuple[str, str]) -> bytes:
    async def run() -> bytes:
        async with connected(lambda exchange: exchange.answer(status, content_type, body, headers)) as (
            _,
            reader,
            writer,
        ):
            writer.write(b"GET /a HTTP/1.1\r\nHost: h\r\n" + CLOSE)
            return await asyncio.wait_for(reader.read(), 10)

    return asyncio.run(run())
