import socket

import pytest

from local.errors import ChainError
from local.ports import Wanted, reserve

HOST = "127.0.0.1"
ANY = (Wanted("gateway", "PORT", 0), Wanted("runtime", "RUNTIME_PORT", 0), Wanted("container", "CONTAINER_PORT", 0))


def listen(port: int = 0) -> socket.socket:
    return socket.create_server((HOST, port))


def neighbours() -> tuple[socket.socket, socket.socket]:
    """Two servers on ports next to each other."""
    while True:
        first = listen()
        try:
            return first, listen(first.getsockname()[1] + 1)
        except (OSError, OverflowError):
            first.close()


def test_each_part_has_a_port_of_its_own() -> None:
    sockets = reserve(HOST, ANY)

    assert len({sock.getsockname()[1] for sock in sockets}) == len(ANY)
    for sock in sockets:
        sock.close()


def test_all_that_are_taken_are_said_at_once_with_free_ones() -> None:
    first, second = neighbours()
    port = first.getsockname()[1]
    wanted = (Wanted("gateway", "PORT", port), Wanted("runtime", "RUNTIME_PORT", port + 1), ANY[2])

    with first, second, pytest.raises(ChainError) as caught:
        reserve(HOST, wanted)

    *reasons, advice = str(caught.value).split("; ")
    assert reasons == [
        f"port {port} for the gateway cannot be used: address already in use",
        f"port {port + 1} for the runtime cannot be used: address already in use",
    ]
    free = [int(word.partition("=")[2]) for word in advice.split() if "=" in word]
    assert len(set(free)) == 2
    assert min(free) > port + 1
    for each in free:
        listen(each).close()


def test_a_port_that_another_part_is_to_have_is_not_advised() -> None:
    with listen() as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ChainError) as caught:
            reserve(HOST, (Wanted("gateway", "PORT", port), Wanted("runtime", "RUNTIME_PORT", port + 1)))

    assert f"PORT={port + 1} " not in str(caught.value)


def test_equal_ports_are_refused() -> None:
    with listen() as server:
        port = server.getsockname()[1]

    with pytest.raises(ChainError) as caught:
        reserve(HOST, (Wanted("gateway", "PORT", port), Wanted("runtime", "RUNTIME_PORT", port)))

    said, advice = str(caught.value).split("; ")
    assert said == f"port {port} for the runtime cannot be used: it is the gateway's, PORT"
    assert advice.startswith("add RUNTIME_PORT=")
    listen(port).close()  # nothing is held


def test_past_the_highest_port_any_is_advised() -> None:
    with listen(65_535), pytest.raises(ChainError, match="add PORT=0 to `make run`"):
        reserve(HOST, (Wanted("gateway", "PORT", 65_535),))
