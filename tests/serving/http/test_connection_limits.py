"""What a client may make the server hold: heads, trailers, bodies on their way, and connections, over real sockets."""

import asyncio
import tracemalloc

import pytest

from predictor.http.parser import MAX_HEAD_BYTES
from tests.serving.http.test_connection import CLOSE, connected, reply, send, status_of, until

CHUNKED = b"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * MAX_HEAD_BYTES + b" HTTP/1.1\r\nHost: h\r\n" + CLOSE,
        b"GET /a HTTP/1.1\r\nHost: h\r\nX-Name: " + b"x" * MAX_HEAD_BYTES + b"\r\n" + CLOSE,
        b"GET /a HTTP/1.1\r\nHost: h\r\n" + b"a:b\r\n" * 5000 + CLOSE,
    ],
    ids=["target", "header", "many headers"],
)
def test_a_head_too_large_is_refused_though_it_comes_at_once(head: bytes) -> None:
    assert status_of(send(head)) == 431


@pytest.mark.parametrize(
    "endless",
    [
        b"0\r\n" + b"".join(b"x-%d: %s\r\n" % (number, b"x" * 1000) for number in range(200)),
        b"0\r\nx: " + b"x" * 200_000,
        b"1;" + b"x" * 200_000,
    ],
    ids=["trailers", "a trailer", "a chunk's extension"],
)
def test_what_a_chunked_body_brings_along_is_bounded(endless: bytes) -> None:
    pieces = [endless[start : start + 10_000] for start in range(0, len(endless), 10_000)]

    assert status_of(send(CHUNKED + b"\r\n", *pieces, receive_seconds="2")) == 431


def test_a_trailer_is_no_header() -> None:
    request = CHUNKED + CLOSE + b"2\r\nok\r\n0\r\nX-Name: trailer\r\n\r\n"

    assert send(request) == reply(b"POST /a None ok")


def test_a_body_in_many_parts_takes_little_more_memory_than_its_bytes() -> None:
    async def run() -> tuple[int, int]:
        async with connected() as (server, _, writer):
            writer.write(CHUNKED + b"\r\n")
            await until(lambda: server.connections)
            tracemalloc.start()
            try:
                for _ in range(200):
                    writer.write(b"2\r\nxx\r\n" * 1000)
                    await writer.drain()
                await until(lambda: server.room.receiving == 400_000)
                return server.room.receiving, tracemalloc.get_traced_memory()[0]
            finally:
                tracemalloc.stop()

    received, memory = asyncio.run(run())

    assert received == 400_000
    assert memory < 1_500_000


@pytest.mark.parametrize("end", ["hangs up", "is refused"])
def test_a_body_that_does_not_arrive_counts_no_longer(end: str) -> None:
    async def run() -> None:
        async with connected() as (server, _, writer):
            writer.write(CHUNKED + b"\r\n3\r\nabc\r\n")
            await until(lambda: server.room.receiving == 3)
            if end == "hangs up":
                writer.close()
            else:
                writer.write(b"nonsense\r\n")
            await until(lambda: server.room.receiving == 0)

    asyncio.run(run())
