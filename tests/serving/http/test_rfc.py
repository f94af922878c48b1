"""HTTP/1.1 as RFC 9112 and RFC 9110 have it, byte for byte over a socket; many cases are h11's and llhttp's own."""

import asyncio
import re

import pytest

from tests.serving.http.test_connection import CLOSE, converse, reply, send, status_of

POST = b"POST /a HTTP/1.1\r\nHost: h\r\n"
GET = b"GET /a HTTP/1.1\r\nHost: h\r\n"
CODING = b"Transfer-Encoding: "
CHUNKED = POST + CODING + b"chunked\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"
CLOSING = POST + b"Connection: close\r\n" + CODING + b"chunked\r\n\r\n"
LETTERS = b"abcdefghijklmnopqrstuvwxyz"
H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk\r\n"
LENGTH = b"Content-Length: 4\r\n\r\nbody"
NEXT = b"GET /next HTTP/1.1\r\nHost: h\r\n" + CLOSE


def in_pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


# what is read


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        (b"\r\n\r\n" + GET + CLOSE, b"GET /a None "),
        (b"GET /a HTTP/1.1\r\nHost:\r\n" + CLOSE, b"GET /a None "),
        (b"GET /a HTTP/1.1\r\nHost: [::1]:8080\r\n" + CLOSE, b"GET /a None "),
        (b"GET http://h/a?b HTTP/1.1\r\nHost: other\r\n" + CLOSE, b"GET /a None "),
        (b"GET http://h HTTP/1.1\r\nHost: h\r\n" + CLOSE, b"GET / None "),
        (b"OPTIONS * HTTP/1.1\r\nHost: h\r\n" + CLOSE, b"OPTIONS * None "),
        (b"GET /a HTTP/1.0\r\n\r\n", b"GET /a None "),
        (b"POST /a HTTP/1.0\r\ncontent-LENGTH: 4\r\n\r\nbody", b"POST /a None body"),
        (GET + b"X-Name:\t n \t\r\n" + CLOSE, b"GET /a n "),
        (GET + b"X-Name: n n\r\n" + CLOSE, b"GET /a n n "),
        (GET + b"X-Name:\r\n" + CLOSE, b"GET /a  "),
        (GET + b"Connection: x, CLOSE\r\n\r\n", b"GET /a None "),
        (POST + b"Connection: close\r\nContent-Length: \t 004 \r\n\r\nbody", b"POST /a None body"),
        (POST + b"Connection: close\r\n" + CODING + b"CHUNKED\r\n\r\n4\r\nbody\r\n000\r\n\r\n", b"POST /a None body"),
        (CLOSING + b"0a\r\n0123456789\r\n1A\r\n%s\r\n" % LETTERS + LAST_CHUNK, b"POST /a None 0123456789" + LETTERS),
        (CLOSING + b'4;a="b;\\"c";d\r\nbody\r\n' + LAST_CHUNK, b"POST /a None body"),
    ],
    ids=lambda value: repr(value[-40:]),
)  # fmt: skip
@pytest.mark.parametrize("pieces", [1000, 1], ids=["at once", "byte by byte"])
def test_what_is_valid_is_read(request_: bytes, body: bytes, pieces: int) -> None:
    assert send(*in_pieces(request_, pieces), pause=0) == reply(body)


# what is refused, and ends the connection


REFUSED = {
    "no Host": (400, b"GET /a HTTP/1.1\r\n\r\n"),
    "two Hosts": (400, GET + b"Host: other\r\n\r\n"),
    "the same Host twice": (400, GET + b"Host: h\r\n\r\n"),
    "Host with a blank": (400, b"GET /a HTTP/1.1\r\nHost: a b\r\n\r\n"),
    "Host with a path": (400, b"GET /a HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    "Host with a user": (400, b"GET /a HTTP/1.1\r\nHost: u@h\r\n\r\n"),
    "Host with a byte above 127": (400, b"GET /a HTTP/1.1\r\nHost: \xff\r\n\r\n"),
    "CONNECT": (501, b"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n"),
    "CONNECT with close": (501, b"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n" + CLOSE),
    "CONNECT with a body": (501, b"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n" + LENGTH),
    "gzip, chunked": (501, POST + CODING + b"gzip, chunked\r\n\r\n" + LAST_CHUNK),
    "gzip and chunked in two lines": (501, POST + CODING + b"gzip\r\n" + CODING + b"chunked\r\n\r\n" + LAST_CHUNK),
    "chunked, gzip": (400, POST + CODING + b"chunked, gzip\r\n\r\n" + LAST_CHUNK),
    "chunked and gzip in two lines": (400, POST + CODING + b"chunked\r\n" + CODING + b"gzip\r\n\r\n" + LAST_CHUNK),
    "chunked twice": (400, POST + CODING + b"chunked, chunked\r\n\r\n" + LAST_CHUNK),
    "gzip alone": (400, POST + CODING + b"gzip\r\n\r\nbody"),
    "identity": (400, POST + CODING + b"identity\r\n\r\nbody"),
    "chunkedchunked": (400, POST + CODING + b"chunkedchunked\r\n\r\n" + LAST_CHUNK),
    "no coding": (400, POST + b"Transfer-Encoding:\r\n\r\n" + LAST_CHUNK),
    "codings in HTTP/1.0": (400, b"POST /a HTTP/1.0\r\n" + CODING + b"chunked\r\n\r\n" + LAST_CHUNK),
    "length, then codings": (400, POST + b"Content-Length: 4\r\n" + CODING + b"chunked\r\n\r\n" + LAST_CHUNK),
    "codings, then length": (400, POST + CODING + b"chunked\r\nContent-Length: 4\r\n\r\n" + LAST_CHUNK),
    "codings, length and an offer": (400, POST + H2C + CODING + b"chunked\r\nContent-Length: 4\r\n\r\n" + LAST_CHUNK),
    "gzip, chunked and an offer": (501, POST + H2C + CODING + b"gzip, chunked\r\n\r\n" + LAST_CHUNK),
    "two lengths": (400, POST + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nbody"),
    "a list of lengths": (400, POST + b"Content-Length: 4, 5\r\n\r\nbody"),
    "a length with a sign": (400, POST + b"Content-Length: +4\r\n\r\nbody"),
    "a negative length": (400, POST + b"Content-Length: -4\r\n\r\nbody"),
    "a length with a blank inside": (400, POST + b"Content-Length: 4 2\r\n\r\nbody"),
    "a hexadecimal length": (400, POST + b"Content-Length: 0x4\r\n\r\nbody"),
    "no length": (400, POST + b"Content-Length:\r\n\r\nbody"),
    "a length beyond 64 bits": (400, POST + b"Content-Length: 99999999999999999999999\r\n\r\nbody"),
    "a fold": (400, GET + b"X-Name: a\r\n b\r\n\r\n"),
    "a fold by a tab": (400, GET + b"X-Name: a\r\n\tb\r\n\r\n"),
    "a fold before the first header": (400, b"GET /a HTTP/1.1\r\n Host: h\r\n\r\n"),
    "a fold in a coding": (400, POST + CODING + b"chunked\r\n  abc\r\n\r\n" + LAST_CHUNK),
    "a blank before the colon": (400, GET + b"X-Name : a\r\n\r\n"),
    "a tab before the colon": (400, GET + b"X-Name\t: a\r\n\r\n"),
    "a header without a name": (400, GET + b": a\r\n\r\n"),
    "a header without a colon": (400, GET + b"X-Name\r\n\r\n"),
    "a name with a byte above 127": (400, GET + b"X\xff: a\r\n\r\n"),
    "a value with NUL": (400, GET + b"X-Name: a\x00b\r\n\r\n"),
    "a value with a control character": (400, GET + b"X-Name: a\x01b\r\n\r\n"),
    "a bare CR in a value": (400, GET + b"X-Name: a\rb\r\n\r\n"),
    "a bare LF between headers": (400, GET + b"X-Name: a\nX-Other: b\r\n\r\n"),
    "a bare LF behind the request line": (400, b"GET /a HTTP/1.1\nHost: h\r\n\r\n"),
    "bare LFs alone": (400, b"GET /a HTTP/1.1\nHost: h\n\n"),
    "a bare LF for the empty line": (400, GET + b"\n"),
    "a bare CR for the empty line": (400, GET + b"\r" + GET + b"\r\n"),
    "lower-case method": (400, b"get /a HTTP/1.1\r\nHost: h\r\n\r\n"),
    "a blank before the method": (400, b" GET /a HTTP/1.1\r\nHost: h\r\n\r\n"),
    "more behind the version": (400, b"GET /a HTTP/1.1 x\r\nHost: h\r\n\r\n"),
    "a blank in the target": (400, b"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n"),
    "NUL in the target": (400, b"GET /\x00 HTTP/1.1\r\nHost: h\r\n\r\n"),
    "DEL in the target": (400, b"GET /\x7f HTTP/1.1\r\nHost: h\r\n\r\n"),
    "a byte above 127 in the target": (400, b"GET /\xee HTTP/1.1\r\nHost: h\r\n\r\n"),
    "a target without a slash": (400, b"GET a HTTP/1.1\r\nHost: h\r\n\r\n"),
    "HTTP/2.0": (505, b"GET /a HTTP/2.0\r\nHost: h\r\n\r\n"),
    "HTTP/0.9": (505, b"GET /a\r\n\r\n"),
    "the preface of HTTP/2": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "TLS": (400, b"\x16\x03\x01\x00\xa5"),
    "a chunk size without digits": (400, CHUNKED + b"\r\nbody\r\n0\r\n\r\n"),
    "a negative chunk size": (400, CHUNKED + b"-4\r\nbody\r\n0\r\n\r\n"),
    "a chunk size with 0x": (400, CHUNKED + b"0x4\r\nbody\r\n0\r\n\r\n"),
    "a chunk size beyond 64 bits": (400, CHUNKED + b"10000000000000004\r\nbody\r\n0\r\n\r\n"),
    "a chunk size with NUL": (400, CHUNKED + b"4\x00\r\nbody\r\n0\r\n\r\n"),
    "a bare LF behind a chunk size": (400, CHUNKED + b"4\nbody\r\n0\r\n\r\n"),
    "a bare CR behind a chunk size": (400, CHUNKED + b"4\rX\nbody\r\n0\r\n\r\n"),
    "a bare LF in an extension": (400, CHUNKED + b"4;a=b\nx\r\nbody\r\n0\r\n\r\n"),
    "an extension without a semicolon": (400, CHUNKED + b"4 a\r\nbody\r\n0\r\n\r\n"),
    "a chunk longer than its size": (400, CHUNKED + b"3\r\nbody\r\n0\r\n\r\n"),
    "a chunk ended by a bare LF": (400, CHUNKED + b"4\r\nbody\n0\r\n\r\n"),
    "a chunk without an end": (400, CHUNKED + b"4\r\nbody0\r\n\r\n"),
    "no last chunk": (400, CHUNKED + b"4\r\nbody\r\n\r\n"),
    "a length among the trailers": (400, CHUNKED + b"0\r\nContent-Length: 4\r\n\r\n"),
    "a folded trailer": (400, CHUNKED + b"0\r\nX: a\r\n b\r\n\r\n"),
}  # fmt: skip


@pytest.mark.parametrize("pieces", [1000, 1], ids=["at once", "byte by byte"])
@pytest.mark.parametrize(("status", "request_"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_valid_is_refused_and_ends_the_connection(status: int, request_: bytes, pieces: int) -> None:
    """What follows on the connection is taken for no request: it may be a part of the refused one."""
    answer = send(*in_pieces(request_, pieces), NEXT, pause=0, receive_seconds="5")

    assert status_of(answer) == status
    assert b"connection: close\r\n" in answer
    assert len(re.findall(rb"HTTP/1\.1 \d{3} ", answer)) == 1


# a client that closes its side (RFC 9112 section 9.6)


@pytest.mark.parametrize("path", [b"/a", b"/late"])
def test_a_client_that_closes_its_side_after_a_request_is_answered(path: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"GET %s HTTP/1.1\r\nHost: h\r\n\r\n" % path)
        writer.write_eof()
        return await reader.read()

    answer: bytes = converse(talk)
    assert answer.endswith(b"GET %s None " % path)


def test_a_client_that_closes_its_side_after_many_requests_gets_all_answers() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"GET /late HTTP/1.1\r\nHost: h\r\n\r\n" * 100)
        writer.write_eof()
        return await reader.read()

    answer: bytes = converse(talk)
    assert answer.count(b"HTTP/1.1 200 OK") == 100


@pytest.mark.parametrize(
    "start", [b"GET /a HT", GET, POST + b"Content-Length: 4\r\n\r\nbo", CHUNKED + b"4\r\nbody\r\n"]
)
def test_a_request_that_ends_too_early_is_refused(start: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(start)
        writer.write_eof()
        return await reader.read()

    assert status_of(converse(talk)) == 400


def test_a_client_that_closes_its_side_without_a_request_gets_no_answer() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write_eof()
        return await reader.read()

    assert converse(talk) == b""


# Expect (RFC 9110 section 10.1.1)


def test_an_old_client_is_not_told_to_continue() -> None:
    head = b"POST /a HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"

    assert send(head, b"ok") == reply(b"POST /a None ok")


def test_a_client_whose_body_is_there_is_not_told_to_continue() -> None:
    request = POST + b"Expect: 100-continue\r\nContent-Length: 2\r\n" + CLOSE + b"ok"

    assert send(request) == reply(b"POST /a None ok")


def test_a_client_is_told_to_continue_when_its_earlier_requests_are_answered() -> None:
    late = b"GET /late HTTP/1.1\r\nHost: h\r\n\r\n"
    head = POST + b"Expect: 100-continue\r\nContent-Length: 2\r\n" + CLOSE

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[bytes, bytes]:
        writer.write(late + head)
        before = await reader.readuntil(b"100 Continue\r\n\r\n")
        writer.write(b"ok")
        return before, await reader.read()

    before, after = converse(talk)
    assert before.startswith(b"HTTP/1.1 200 OK\r\n")
    assert after.endswith(b"POST /a None ok")
