"""The real server short of files, connections and memory."""

import re
import resource
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

from tests.serving import faults
from tests.serving.processes import JSON, Process, serving, wait_until


def echo(tmp_path: Path) -> Path:
    return faults.save(faults.Echo(), tmp_path / "model")


def open_files(server: Process) -> int:
    return sum(1 for _ in Path(f"/proc/{server.popen.pid}/fd").iterdir())


def connect(server: Process) -> socket.socket:
    host, port = server.address.split(":")
    return socket.create_connection((host, int(port)), timeout=10)


def test_the_server_takes_as_many_files_as_it_needs_and_may_have(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        with serving(echo(tmp_path), max_connections=1000) as server:
            limits = Path(f"/proc/{server.popen.pid}/limits").read_text()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert re.search(r"^Max open files\s+(\d+)", limits, re.MULTILINE)[1] == "1034"  # type: ignore[index]  # a miss fails the test


def test_connections_are_bounded_and_the_idle_make_room(tmp_path: Path) -> None:
    with serving(echo(tmp_path), max_connections=8) as server, ExitStack() as stack:
        wait_until(lambda: server.metric("serving_workers") == 2)  # each is a file of the server's, too
        before = open_files(server)
        for _ in range(40):
            stack.enter_context(connect(server))
        time.sleep(0.3)  # for more than it may take, if it did
        most = open_files(server)

        assert most <= before + 8
        assert server.predict([3, 0]).json() == {"predictions": [3.0]}


def test_more_clients_than_connections_are_all_answered(tmp_path: Path) -> None:
    """Each sends eight requests over a connection that it would keep."""
    with serving(echo(tmp_path), max_connections=4) as server, ThreadPoolExecutor(16) as threads:

        def ask(number: int) -> list[object]:
            with server.client() as client:
                return [client.predict([number, 0]).json() for _ in range(8)]

        answers = list(threads.map(ask, range(16)))

    assert answers == [[{"predictions": [float(number)]}] * 8 for number in range(16)]


def test_files_that_run_out_are_one_line_in_the_log(tmp_path: Path) -> None:
    with serving(echo(tmp_path)) as server:
        wait_until(lambda: server.metric("serving_workers") == 2)
        with server.no_more_files():
            client = connect(server)
            client.sendall(b"GET /ping HTTP/1.1\r\nHost: h\r\n\r\n")
            time.sleep(3)
        answer = client.recv(100)
        client.close()

        warnings = [line["message"] for line in server.log() if line["level"] in {"warning", "error"}]
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert warnings == ["cannot accept connections: Too many open files; trying again"]


def test_sigterm_while_files_have_run_out_ends_with_0(tmp_path: Path) -> None:
    notes, hold = tmp_path / "notes", tmp_path / "hold"
    model = faults.save(faults.Echo(notes=notes, hold=hold), tmp_path / "model")
    with serving(model) as server, ThreadPoolExecutor(1) as threads:
        hold.touch()
        slow = threads.submit(server.predict, [3, 0])
        wait_until(lambda: "3" in faults.noted(notes))
        with server.no_more_files(), connect(server):
            server.popen.send_signal(signal.SIGTERM)
            wait_until(lambda: "draining" in server.output.read_text())
            hold.unlink()
            assert slow.result().json() == {"predictions": [3.0]}
            assert server.popen.wait(10) == 0


def test_an_idle_connection_holds_no_body(tmp_path: Path) -> None:
    body = b" " * 20_000_000 + b'{"data": [[3, 0]]}'

    def resident() -> int:
        status = Path(f"/proc/{server.popen.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) // 1024  # type: ignore[index]  # a miss fails the test

    with serving(echo(tmp_path)) as server, ExitStack() as stack:
        clients = [stack.enter_context(server.client()) for _ in range(8)]
        before = resident()
        answers = [client.ask("POST", "/invocations", body, JSON).json() for client in clients]
        wait_until(lambda: resident() < before + 50)

        assert answers == [{"predictions": [3.0]}] * 8


def test_bodies_that_come_slowly_cannot_fill_the_memory(tmp_path: Path) -> None:
    """Sixteen clients each send 20 of 25 MB and stop; what others ask is answered meanwhile."""
    head = b"POST /invocations HTTP/1.1\r\nHost: h\r\nContent-Length: 25000000\r\n\r\n"
    large = b" " * 5_000_000 + b'{"data": [[4, 0]]}'
    with serving(echo(tmp_path), max_queue_bytes=50_000_000) as server, ExitStack() as stack:
        for _ in range(16):
            client = stack.enter_context(connect(server))
            client.sendall(head + b" " * 20_000_000)
        small = server.predict([3, 0])
        wait_until(lambda: server.ask("POST", "/invocations", large, JSON).status == 200)
        peak = Path(f"/proc/{server.popen.pid}/status").read_text()

    assert small.json() == {"predictions": [3.0]}
    assert int(re.search(r"VmHWM:\s+(\d+)", peak)[1]) < 250_000  # type: ignore[index]  # a miss fails the test


def test_connections_that_send_slowly_make_room_when_there_is_none(tmp_path: Path) -> None:
    """They hold every place by a byte now and then: others, and /ping, do not wait until their time is over."""
    with serving(echo(tmp_path), max_connections=8, receive_seconds=600) as server, ExitStack() as stack:
        slow = [stack.enter_context(connect(server)) for _ in range(8)]
        for start in (b"GET /pi", b"POST /invocations HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n"):
            for client in slow[:4] if start.startswith(b"GET") else slow[4:]:
                client.sendall(start)
        with ThreadPoolExecutor(1) as threads:
            asked = threads.submit(server.predict, [3, 0])
            while not asked.done():
                for client in slow:
                    with suppress(ConnectionError):
                        client.sendall(b" ")
                time.sleep(0.1)

        assert asked.result().json() == {"predictions": [3.0]}
        assert server.ping() == 200
