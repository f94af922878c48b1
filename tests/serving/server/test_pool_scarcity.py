"""What the server says and does while workers are missing, or cannot be had, in the real process."""

import os
import signal
import time
from pathlib import Path

from predictor.server.routes import REFORK_SECONDS
from tests.serving import faults
from tests.serving.processes import Process, children, serving, wait_until


def kill_workers(server: Process) -> None:
    for worker in server.workers():
        os.kill(worker, signal.SIGKILL)


def test_workers_that_die_while_no_file_can_be_opened_come_back_by_themselves(tmp_path: Path) -> None:
    with serving(faults.save(faults.Echo(), tmp_path / "model")) as server, server.client() as client:
        wait_until(lambda: server.metric("serving_workers") == 2)
        before = set(server.workers())
        assert client.ask("GET", "/ping").status == 200
        with server.no_more_files():
            kill_workers(server)
            wait_until(lambda: "cannot be reached" in server.output.read_text())
            wait_until(lambda: client.ask("GET", "/ping").status == 503)
            metrics = client.ask("GET", "/metrics").body
        wait_until(lambda: server.metric("serving_workers") == 2)

        assert b"\nserving_workers 0\n" in metrics
        assert b"\nserving_ready 0\n" in metrics
        assert server.ping() == 200
        assert server.predict([3, 0]).json() == {"predictions": [3.0]}
        assert len(server.workers()) == 2
        assert before.isdisjoint(server.workers())
        assert server.metric("serving_worker_deaths_total") == 2
        assert "traceback" not in server.output.read_text()


def test_a_loader_that_dies_while_no_file_can_be_opened_comes_back_by_itself(tmp_path: Path) -> None:
    with serving(faults.save(faults.Echo(), tmp_path / "model")) as server:
        wait_until(lambda: server.metric("serving_workers") == 2)
        with server.no_more_files():
            (loader,) = children(server.popen.pid)
            workers = server.workers()
            for pid in (loader, *workers):
                os.kill(pid, signal.SIGKILL)
            wait_until(lambda: "cannot be started" in server.output.read_text())
        wait_until(lambda: server.metric("serving_workers") == 2)

        assert server.predict([3, 0]).json() == {"predictions": [3.0]}
        assert "traceback" not in server.output.read_text()


def test_a_loader_that_cannot_fork_says_so_in_one_line_and_is_replaced(tmp_path: Path) -> None:
    with serving(faults.save(faults.Echo(), tmp_path / "model")) as server:
        wait_until(lambda: server.metric("serving_workers") == 2)
        (loader,) = children(server.popen.pid)
        with server.no_more_files(loader):
            os.kill(server.workers()[0], signal.SIGKILL)
            wait_until(lambda: children(server.popen.pid) not in ([], [loader]))
        wait_until(lambda: server.metric("serving_workers") == 2)

        output = server.output.read_text()
        assert output.count("a worker cannot be forked: Too many open files") == 1
        assert "Traceback" not in output
        assert server.predict([3, 0]).json() == {"predictions": [3.0]}


def test_ping_is_503_while_no_worker_has_loaded_the_model(tmp_path: Path) -> None:
    hold = tmp_path / "hold"
    model = faults.save(faults.SlowToLoad(hold=hold), tmp_path / "model")
    with serving(model, workers=1, preload="false") as server:
        hold.touch()
        kill_workers(server)
        at_once = server.ping()
        wait_until(lambda: server.ping() == 503)
        refusal = server.ask("GET", "/ping")
        workers = server.metric("serving_workers")
        hold.unlink()
        wait_until(lambda: server.ping() == 200)

        assert at_once == 200
        assert refusal.json()["detail"] == "No worker can predict."
        assert workers == 0
        assert server.predict([3, 0]).json() == {"predictions": [3.0]}


def test_ping_is_200_while_one_worker_of_two_is_replaced(tmp_path: Path) -> None:
    hold = tmp_path / "hold"
    model = faults.save(faults.SlowToLoad(hold=hold), tmp_path / "model")
    with serving(model, workers=2, preload="false") as server:
        wait_until(lambda: server.metric("serving_workers") == 2)
        hold.touch()
        os.kill(server.workers()[0], signal.SIGKILL)
        wait_until(lambda: server.metric("serving_worker_deaths_total") == 1)
        end = time.monotonic() + REFORK_SECONDS + 0.5
        pings = [server.ping()]
        while time.monotonic() < end:
            pings.append(server.ping())

        assert set(pings) == {200}
        assert server.metric("serving_workers") == 1


def test_ping_stays_200_while_the_only_worker_is_forked_anew(tmp_path: Path) -> None:
    with serving(faults.save(faults.Echo(), tmp_path / "model"), workers=1) as server:
        before = server.workers()
        kill_workers(server)
        pings = {server.ping() for _ in range(100)}
        wait_until(lambda: len(server.workers()) == 1 and server.workers() != before)

        assert pings == {200}
