"""What becomes of connections while the server drains: idle, on their way, and not yet accepted."""

import asyncio
import socket

import pytest

from predictor.http.connection import QUIET_SECONDS
from tests.serving.http.test_connection import connected, until


def test_draining_answers_what_came_and_closes() -> None:
    async def run() -> tuple[bytes, int, list[bytes]]:
        async with connected() as (server, reader, writer):
            idle_reader, idle_writer = await asyncio.open_connection(*writer.get_extra_info("peername"))
            writer.write(b"GET /late HTTP/1.1\r\nHost: h\r\n\r\n")
            await asyncio.sleep(0.02)
            lost = await server.drain(5)
            rest = [await idle_reader.read()]
            idle_writer.close()
            return await reader.read(), lost, rest

    answer, lost, rest = asyncio.run(run())

    assert b"connection: close\r\n" in answer
    assert answer.endswith(b"GET /late None ")
    assert (lost, rest) == (0, [b""])


def test_a_request_on_its_way_over_a_connection_long_idle_is_not_lost_by_draining() -> None:
    async def run() -> bytes:
        async with connected() as (server, reader, writer):
            await asyncio.sleep(2 * QUIET_SECONDS)
            drained = asyncio.create_task(server.drain(5))
            await asyncio.sleep(QUIET_SECONDS / 5)
            writer.write(b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
            answer = await reader.read()
            await drained
            return answer

    assert asyncio.run(run()).endswith(b"GET /a None ")


def test_a_connection_that_waits_to_be_accepted_is_not_lost_by_draining() -> None:
    async def run() -> bytes:
        async with connected() as (server, _, writer):
            address = writer.get_extra_info("peername")
            # connected by the kernel, and not yet accepted, since the loop has not run since
            waiting = socket.create_connection(address)
            waiting.sendall(b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
            drained = asyncio.create_task(server.drain(5))
            reader, other = await asyncio.open_connection(sock=waiting)
            answer = await reader.read()
            other.close()
            await drained
            return answer

    assert asyncio.run(run()).endswith(b"GET /a None ")


@pytest.mark.parametrize("path", [b"/a", b"/late"])
def test_pipelined_requests_that_came_are_answered_by_draining(path: bytes) -> None:
    async def run() -> tuple[bytes, int]:
        async with connected() as (server, reader, writer):
            await until(lambda: server.connections)
            drained = asyncio.create_task(server.drain(5))
            writer.write(b"GET %s HTTP/1.1\r\nHost: h\r\n\r\n" % path * 200)
            return await reader.read(), await drained

    answers, lost = asyncio.run(run())

    assert answers.count(b"HTTP/1.1 200 OK") == 200
    assert answers.count(b"connection: close") == 1
    assert lost == 0
