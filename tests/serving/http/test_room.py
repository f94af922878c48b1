"""What all clients make the server hold together: bodies that do not come, and answers that are not read."""

import asyncio
import socket
import time
from contextlib import AsyncExitStack, suppress

import pytest

from predictor.http import room
from predictor.http.exchange import Exchange
from predictor.http.room import Room
from predictor.settings import Settings
from tests.serving.http.test_connection import CLOSE, connected, status_of, until

MIB = 1024 * 1024
POST = b"POST /a HTTP/1.1\r\nHost: h\r\n"


async def ask(address: tuple[str, int], body: bytes, *, parts: int = 1) -> bytes:
    reader, writer = await asyncio.open_connection(*address)
    writer.write(POST + b"Content-Length: %d\r\n" % len(body) + CLOSE)
    for start in range(0, len(body), -(-len(body) // parts)):
        writer.write(body[start : start + -(-len(body) // parts)])
        await writer.drain()
        await asyncio.sleep(0.01)
    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    return answer


@pytest.mark.parametrize("size", [10, 2 * MIB])
def test_bodies_that_stopped_make_room_for_those_that_come(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten clients hold all the room by bodies that they do not send on; another's is taken, whatever its size."""
    monkeypatch.setattr(room, "SLOW_SECONDS", 1.0)

    async def run() -> tuple[bytes, int]:
        async with connected(max_queue_bytes=str(8 * MIB)) as (server, _, writer), AsyncExitStack() as stack:
            address = writer.get_extra_info("peername")
            slow = [await asyncio.open_connection(*address) for _ in range(10)]
            for _, other in slow:
                stack.callback(other.close)
                other.write(POST + b"Content-Length: %d\r\n\r\n" % (2 * MIB) + b"x" * MIB)
            await until(lambda: server.room.receiving >= 8 * MIB)
            await asyncio.sleep(2.5)
            answer = await ask(address, b"y" * size, parts=20)
            return answer, server.room.receiving

    answer, receiving = asyncio.run(run())

    assert answer.endswith(b"POST /a None " + b"y" * size)
    assert receiving <= 9 * MIB


def test_the_slowest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two that hold as much, the one that stopped is refused, and the one that sends on is answered."""
    monkeypatch.setattr(room, "SLOW_SECONDS", 1.0)

    async def run() -> tuple[bytes, bytes, bytes]:
        async with connected(max_queue_bytes=str(2 * MIB)) as (server, still, writer), AsyncExitStack() as stack:
            address = writer.get_extra_info("peername")
            writer.write(POST + b"Content-Length: %d\r\n" % (2 * MIB) + CLOSE + b"x" * MIB)
            steady, other = await asyncio.open_connection(*address)
            stack.callback(other.close)
            other.write(POST + b"Content-Length: %d\r\n" % (2 * MIB) + CLOSE)
            for _ in range(64):
                other.write(b"y" * (2 * MIB // 80))
                await asyncio.sleep(0.05)
            await until(lambda: server.room.receiving >= 2 * MIB)
            third = await ask(address, b"z" * MIB, parts=20)
            other.write(b"y" * (2 * MIB - 64 * (2 * MIB // 80)))
            return await still.read(), await steady.read(), third

    still, steady, third = asyncio.run(run())

    assert status_of(still) == 503
    assert b"\r\nretry-after: 1\r\n" in still
    assert b"The body came too slowly while others waited for room." in still
    assert steady.endswith(b"y" * (2 * MIB))
    assert third.endswith(b"z" * MIB)


def test_where_nobody_is_slow_the_next_body_is_refused() -> None:
    async def run() -> tuple[bytes, bytes, bytes, int]:
        async with connected(max_queue_bytes="1000") as (server, first, writer):
            address = writer.get_extra_info("peername")
            writer.write(POST + b"Content-Length: 2000\r\n" + CLOSE + b"x" * 1500)
            await until(lambda: server.room.receiving == 1500)
            refused = await ask(address, b"y" * 10, parts=2)
            writer.write(b"x" * 500)
            answered = await first.read()
            later = await ask(address, b"y" * 10, parts=2)
            return refused, answered, later, server.room.receiving

    refused, answered, later, receiving = asyncio.run(run())

    assert status_of(refused) == 503
    assert b"\r\nretry-after: 1\r\n" in refused
    assert b"bytes of bodies are being received already" in refused
    assert answered.endswith(b"POST /a None " + b"x" * 2000)
    assert later.endswith(b"POST /a None " + b"y" * 10)
    assert receiving == 0


def test_a_share_of_the_room_is_each_connections_own() -> None:
    """However much others receive, and however fast: a small body in pieces is taken."""

    async def run() -> bytes:
        async with connected(max_queue_bytes="1000", max_connections="10") as (server, _, writer):
            writer.write(POST + b"Content-Length: 9000\r\n\r\n" + b"x" * 8000)
            await until(lambda: server.room.receiving == 8000)
            return await ask(writer.get_extra_info("peername"), b"y" * 100, parts=10)

    assert asyncio.run(run()).endswith(b"y" * 100)


# what clients do not read


def unread_answers(count: int, size: int, **settings: str) -> tuple[int, int, int, float]:
    """Clients pipeline requests and read no answer: requests taken, most bytes held, connections left, longest ping."""
    taken = [0]

    def answer(exchange: Exchange) -> None:
        taken[0] += exchange.path == "/a"
        exchange.answer(200, "text/plain", b"x" * size if exchange.path == "/a" else b"pong")

    async def run() -> tuple[int, int, int, float]:
        most, longest = 0, 0.0
        async with connected(answer, **settings) as (server, reader, writer):
            address = writer.get_extra_info("peername")
            clients = [flooding(address) for _ in range(count)]
            for _ in range(20):
                for client in clients:
                    flood(client)
                start = time.monotonic()
                writer.write(b"GET /ping HTTP/1.1\r\nHost: h\r\n\r\n")
                await reader.readuntil(b"pong")
                longest = max(longest, time.monotonic() - start)
                most = max(most, server.room.sending)
                await asyncio.sleep(0.02)
            left = len(server.connections)
            for client in clients:
                client.close()
            return taken[0], most, left, longest

    return asyncio.run(run())


def flooding(address: tuple[str, int]) -> socket.socket:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(address)
    client.settimeout(0)
    return client


def flood(client: socket.socket) -> None:
    with suppress(BlockingIOError, ConnectionError):
        client.send(b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n" * 5000)


def test_a_request_behind_an_answer_that_is_not_read_is_not_parsed() -> None:
    """Each client sends thousands; what is taken of them is what its answers' way to it holds."""
    taken, most, _, _ = unread_answers(4, 4000)

    assert taken < 4 * 1500  # 2.5 MiB of answers in the kernel, and 64 KiB in the transport
    assert most < 4 * 512 * 1024


def test_what_is_held_of_all_connections_is_bounded_and_others_are_served() -> None:
    taken, most, left, longest = unread_answers(40, 100_000, max_queue_bytes="4000000")

    assert most < 4_000_000 + 1_000_000
    assert left < 40
    assert taken > 40
    assert longest < 5  # a hang, not a speed


def test_pipelined_requests_let_others_have_their_turn() -> None:
    """A client that reads what it asks gets at most a few answers before another gets its own."""
    order: list[str] = []

    def answer(exchange: Exchange) -> None:
        order.append(exchange.path)
        exchange.answer(200, "text/plain", b"pong")

    async def run() -> None:
        async with connected(answer) as (_, reader, writer):
            other, writing = await asyncio.open_connection(*writer.get_extra_info("peername"))
            writer.write(b"GET /many HTTP/1.1\r\nHost: h\r\n\r\n" * 1000)
            writing.write(b"GET /one HTTP/1.1\r\nHost: h\r\n\r\n")
            await other.readuntil(b"pong")
            writing.close()
            for _ in range(1000):
                await reader.readuntil(b"pong")

    asyncio.run(run())

    assert order.index("/one") < 100
    assert order.count("/many") == 1000


def test_an_answer_that_waits_for_an_earlier_one_holds_its_question_no_longer() -> None:
    exchanges: list[Exchange] = []

    async def run() -> bytes:
        async with connected(exchanges.append) as (_, reader, writer):
            writer.write((POST + b"Content-Length: 4\r\n\r\nbody") * 2 + b"GET /c HTTP/1.1\r\nHost: h\r\n" + CLOSE)
            await until(lambda: len(exchanges) == 3)
            exchanges[1].answer(200, "text/plain", b"2")
            held = exchanges[1].body
            exchanges[2].answer(200, "text/plain", b"3")
            exchanges[0].answer(200, "text/plain", b"1")
            await reader.read()
            return held

    assert asyncio.run(run()) == b""


class Stub:
    """A connection as far as its bytes go."""

    def __init__(self, *, receiving: int = 0, sending: int = 0, pace: float = 1e9) -> None:
        self.receiving = receiving
        self.sending = sending
        self.pace = pace
        self.gone = False

    def evict(self) -> None:
        self.gone, self.receiving = True, 0

    def drop(self) -> None:
        self.gone, self.sending = True, 0


def test_room_that_is_left_is_counted_once() -> None:
    held = Room(Settings.from_environ({}), [])
    holder = Stub()
    for size in (10, 500, 20, 0):
        held.receive(holder, size)
        held.send(holder, 2 * size)

    assert (held.receiving, held.sending, holder.receiving, holder.sending) == (0, 0, 0, 0)
