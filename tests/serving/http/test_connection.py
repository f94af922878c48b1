"""HTTP/1.1 as it comes over the socket: whole, in pieces, pipelined, malformed, too large, too slow."""

import asyncio
import re
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from predictor.errors import BadInputError
from predictor.http.exchange import Exchange
from predictor.http.listener import Server
from predictor.http.parser import MAX_HEAD_BYTES
from predictor.settings import Settings

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[Any]]


def echo(exchange: Exchange) -> None:
    """Answer with what was asked; /bad is refused, /broken raises, /late is answered after the others."""
    if exchange.path == "/bad":
        raise BadInputError("Not this.")
    if exchange.path == "/broken":
        raise ZeroDivisionError
    text = f"{exchange.method} {exchange.path} {exchange.header(b'x-name')} ".encode() + exchange.body
    if exchange.path == "/late":
        asyncio.get_running_loop().call_later(0.1, exchange.answer, 200, "text/plain", text)
    else:
        exchange.answer(200, "text/plain", text)


@asynccontextmanager
async def connected(
    app: Callable[[Exchange], None] = echo, **settings: str
) -> AsyncIterator[tuple[Server, asyncio.StreamReader, asyncio.StreamWriter]]:
    variables = {f"SERVING_{name.upper()}": value for name, value in settings.items()}
    server = Server(Settings.from_environ({"SERVING_PORT": "0", **variables}), app)
    port = await server.listen()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield server, reader, writer
    finally:
        writer.close()
        server.close()


def converse(talk: Talk, **settings: str) -> Any:
    async def run() -> Any:
        async with connected(echo, **settings) as (_, reader, writer):
            return await asyncio.wait_for(talk(reader, writer), 10)

    return asyncio.run(run())


def send(*parts: bytes, pause: float = 0.01, **settings: str) -> bytes:
    """Send parts, each by itself, and return all that comes until the server closes; the last part must make it."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        return await reader.read()

    answer: bytes = converse(talk, **settings)
    return re.sub(rb"date: [^\r]+\r\n", b"", answer)


async def until(condition: Callable[[], object]) -> None:
    """Let the server, which runs in the same loop, go on until something is so."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # it is the socket's reader that makes it so
            await asyncio.sleep(0.01)


def reply(body: bytes, *, close: bool = True) -> bytes:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: %d\r\n" % len(body)
    return head + (b"connection: close\r\n" if close else b"") + b"\r\n" + body


def status_of(answer: bytes) -> int:
    return int(answer.split()[1])


CLOSE = b"Connection: close\r\n\r\n"


def test_a_request_is_answered() -> None:
    request = b"POST /a?b=c HTTP/1.1\r\nHost: h\r\nX-Name: n\r\nContent-Length: 4\r\n" + CLOSE + b"body"

    assert send(request) == reply(b"POST /a n body")


def test_a_request_may_come_byte_by_byte() -> None:
    request = b"POST /a HTTP/1.1\r\nHost: h\r\nX-Name: n\r\nContent-Length: 2\r\n" + CLOSE + b"ok"

    assert send(*(bytes([byte]) for byte in request)) == reply(b"POST /a n ok")


def test_a_body_may_come_in_chunks() -> None:
    head = b"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n" + CLOSE

    assert send(head, b"3\r\nabc\r\n", b"2\r\nde\r\n0\r\n\r\n") == reply(b"POST /a None abcde")


def test_an_absolute_target_is_the_same_path() -> None:
    assert send(b"GET http://host/a?b HTTP/1.1\r\nHost: h\r\n" + CLOSE) == reply(b"GET /a None ")


def test_a_repeated_header_is_one_list() -> None:
    assert send(b"GET /a HTTP/1.1\r\nHost: h\r\nX-Name: 1\r\nx-name: 2\r\n" + CLOSE) == reply(b"GET /a 1, 2 ")


def test_pipelined_requests_are_answered_in_order() -> None:
    requests = (
        b"GET /late HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\nGET /c HTTP/1.1\r\nHost: h\r\n" + CLOSE
    )

    answers = [reply(b"GET /late None ", close=False), reply(b"GET /b None ", close=False), reply(b"GET /c None ")]
    assert send(requests) == b"".join(answers)


def test_more_pipelined_requests_than_may_wait_are_all_answered() -> None:
    requests = b"GET /late HTTP/1.1\r\nHost: h\r\n\r\n" * 500 + b"GET /c HTTP/1.1\r\nHost: h\r\n" + CLOSE

    assert send(requests).count(b"HTTP/1.1 200 OK") == 501


def test_an_old_client_gets_its_answer_and_the_end() -> None:
    assert send(b"GET /a HTTP/1.0\r\n\r\n") == reply(b"GET /a None ")


def test_head_has_the_head_of_the_answer_only() -> None:
    request = b"HEAD /a HTTP/1.1\r\nHost: h\r\n" + CLOSE

    assert send(request) == reply(b"HEAD /a None ").removesuffix(b"HEAD /a None ")


def test_a_client_that_asks_first_is_told_to_continue() -> None:
    head = b"POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n" + CLOSE

    assert send(head, b"ok") == b"HTTP/1.1 100 Continue\r\n\r\n" + reply(b"POST /a None ok")


def test_an_error_is_problem_json() -> None:
    answer = send(b"GET /bad HTTP/1.1\r\nHost: h\r\n" + CLOSE)

    assert status_of(answer) == 400
    assert b"content-type: application/problem+json\r\n" in answer
    assert answer.endswith(b'{"type":"about:blank","title":"Bad Request","status":400,"detail":"Not this."}')


def test_a_fault_of_the_application_is_a_500_that_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    answer = send(b"GET /broken HTTP/1.1\r\nHost: h\r\n" + CLOSE)

    assert status_of(answer) == 500
    assert b"ZeroDivision" not in answer
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"hello\r\n\r\n",
        b"GET /a HTTP/9.9\r\n\r\n",
        b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: many\r\n\r\n",
        b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
        b"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"GET /a HTTP/1.1\r\nHost: h\r\nX: a\x00b\r\n\r\n",
    ],
    ids=lambda garbage: repr(garbage[:20]),
)
def test_what_is_not_http_is_a_400(garbage: bytes) -> None:
    assert status_of(send(garbage, receive_seconds="1")) == 400


def test_garbage_behind_a_good_request_does_not_cost_its_answer() -> None:
    answer = send(b"GET /late HTTP/1.1\r\nHost: h\r\n\r\nnonsense\r\n\r\n")

    assert answer.startswith(reply(b"GET /late None ", close=False))
    assert b"HTTP/1.1 400" in answer


def test_a_body_that_says_it_is_too_large_is_refused_before_it_comes() -> None:
    answer = send(
        b"POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n", max_body_bytes="10"
    )

    assert status_of(answer) == 413
    assert b'"detail":"The body is larger than 10 bytes."' in answer


def test_a_body_that_turns_out_too_large_is_refused_while_it_comes() -> None:
    chunk = b"8\r\n12345678\r\n"

    answer = send(
        b"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", chunk, chunk, max_body_bytes="10"
    )

    assert status_of(answer) == 413


def test_a_client_that_sends_on_after_413_still_gets_it() -> None:
    head = b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 10000000\r\n\r\n"

    assert status_of(send(head, *[b"x" * 100_000] * 20, max_body_bytes="10")) == 413


def test_headers_without_end_are_refused() -> None:
    lines = b"".join(b"X-%d: %s\r\n" % (number, b"x" * 1000) for number in range(MAX_HEAD_BYTES // 1000 + 400))
    pieces = [lines[start : start + 10_000] for start in range(0, len(lines), 10_000)]

    assert status_of(send(b"GET /a HTTP/1.1\r\nHost: h\r\n", *pieces)) == 431


@pytest.mark.parametrize("start", [b"", b"GET", b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab"])
def test_a_client_that_stops_sending_is_let_go(start: bytes) -> None:
    assert send(start, receive_seconds="0.2", idle_seconds="0.2") == b""


def test_a_client_that_reads_nothing_is_read_no_further() -> None:
    """Its answers wait in the server, up to a bound, and it cannot add to them."""

    def large(exchange: Exchange) -> None:
        taken.append(exchange)
        exchange.answer(200, "text/plain", b"x" * 100_000)

    taken: list[Exchange] = []

    async def run() -> int:
        async with connected(large) as (_, _, writer):
            writer.transport.pause_reading()  # type: ignore[attr-defined]  # the stream's transport can
            for _ in range(3000):
                writer.write(b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
                await asyncio.sleep(0)
            await asyncio.sleep(0.5)
            return len(taken)

    assert asyncio.run(run()) < 3000


def test_the_answer_of_a_client_that_has_gone_is_dropped() -> None:
    async def run() -> tuple[bool, bool]:
        waiting: list[Exchange] = []
        async with connected(waiting.append) as (_, _, writer):
            writer.write(b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
            await until(lambda: waiting)
            before = waiting[0].gone
            # a reset, since a client that closes its side only may still read
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.close()
            await until(lambda: waiting[0].gone)
            waiting[0].answer(200, "text/plain", b"")
            return before, waiting[0].gone

    assert asyncio.run(run()) == (False, True)


def test_a_line_break_cannot_make_a_header() -> None:
    def split(exchange: Exchange) -> None:
        exchange.answer(200, "text/plain\r\nx-evil: 1", b"", (("x-name", "a\r\nx-evil: 2"),))

    async def run() -> bytes:
        async with connected(split) as (_, reader, writer):
            writer.write(b"GET /a HTTP/1.1\r\nHost: h\r\n" + CLOSE)
            return await reader.read()

    assert b"\nx-evil" not in asyncio.run(run())
