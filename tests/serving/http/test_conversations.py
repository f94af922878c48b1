"""Pipelined requests of every kind by chance, cut anywhere: each is answered by itself, and in order."""

import asyncio
import random
import re

import pytest

from tests.serving.http.test_connection import converse

OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
EXPECT = b"Expect: 100-continue\r\n"


def request(chance: random.Random, number: int) -> tuple[bytes, bytes]:
    """A request, and the body of its answer."""
    path = b"/late" if chance.random() < 0.1 else b"/%d" % number
    head = b"\r\n" * chance.choice((0, 0, 0, 1)) + b"POST %s HTTP/1.1\r\nHost: h\r\n" % path
    head += chance.choice((b"", b"", OFFER)) + chance.choice((b"", b"", b"", EXPECT))
    body = b"".join(
        chance.choices((b"a", b"\r\n", b"\r\n\r\n", b"0\r\n\r\n", b"POST / "), k=chance.choice((0, 1, 9, 900)))
    )
    framed = chunked(chance, body) if chance.random() < 0.5 else b"Content-Length: %d\r\n\r\n" % len(body) + body
    return head + framed, b"POST %s None " % path + body


def chunked(chance: random.Random, body: bytes) -> bytes:
    sent = b"Transfer-Encoding: chunked\r\n\r\n"
    while body:
        size = chance.randrange(1, len(body) + 1)
        sent += b"%x%s\r\n%s\r\n" % (size, chance.choice((b"", b";x=y")), body[:size])
        body = body[size:]
    return sent + b"0\r\n" + chance.choice((b"", b"X-Trailer: t\r\n")) + b"\r\n"


def bodies(answers: bytes) -> list[bytes]:
    """The bodies of answers that follow one another; of each, all has to be there."""
    found = []
    answers = answers.replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"")
    while answers:
        head, _, answers = answers.partition(b"\r\n\r\n")
        length = re.search(rb"^HTTP/1\.1 200 OK\r\n.*content-length: (\d+)", head, re.DOTALL)
        assert length, head
        found.append(answers[: int(length[1])])
        answers = answers[int(length[1]) :]
    return found


@pytest.mark.parametrize("seed", range(20))
def test_requests_of_every_kind_cut_anywhere_are_answered_in_order(seed: int) -> None:
    chance = random.Random(seed)
    requests = [request(chance, number) for number in range(chance.randrange(1, 100))]
    data = b"".join(sent for sent, _ in requests)

    async def write(writer: asyncio.StreamWriter) -> None:
        start = 0
        while start < len(data):
            end = start + chance.choice((1, 2, 3, 7, 50, 1000, 70_000))
            writer.write(data[start:end])
            await writer.drain()
            await asyncio.sleep(0)
            start = end
        writer.write_eof()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        answers, _ = await asyncio.gather(reader.read(), write(writer))
        return answers

    assert bodies(converse(talk)) == [body for _, body in requests]
