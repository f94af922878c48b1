import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.serving import faults
from tests.serving.faults import FATAL
from tests.serving.processes import Process, Reply, children, serving, wait_until


@contextmanager
def load(server: Process, clients: int = 16) -> Iterator[list[Reply]]:
    """Clients that ask one request after the other, and their replies that were not as they should be."""
    stop = threading.Event()
    wrong: list[Reply] = []

    def ask(number: int) -> None:
        with server.client() as client:
            while not stop.is_set():
                reply = client.predict([number, 0])
                if reply.status != 200 or reply.json() != {"predictions": [number]}:
                    wrong.append(reply)

    with ThreadPoolExecutor(clients) as threads:
        asked = [threads.submit(ask, number) for number in range(clients)]
        try:
            yield wrong
        finally:
            stop.set()
        for outcome in asked:
            outcome.result()


def wait_for_predictions(server: Process, number: int) -> None:
    start = server.metric("serving_predictions_total")
    wait_until(lambda: server.metric("serving_predictions_total") >= start + number)


def wait_for_deaths(server: Process, number: int) -> None:
    wait_until(lambda: server.metric("serving_worker_deaths_total") == number)


def kill_a_worker(server: Process) -> None:
    """Kill one, and wait until there is another."""
    deaths = server.metric("serving_worker_deaths_total")
    os.kill(server.workers()[0], signal.SIGKILL)
    wait_until(lambda: server.metric("serving_worker_deaths_total") == deaths + 1)
    wait_until(lambda: server.metric("serving_workers") == 2)


def test_a_killed_worker_costs_no_request_and_is_replaced(tmp_path: Path) -> None:
    with serving(faults.save(faults.Echo(seconds=0.02), tmp_path / "model")) as server:
        wait_until(lambda: len(server.workers()) == 2)
        before = set(server.workers())
        with load(server) as wrong:
            for _ in range(6):
                wait_for_predictions(server, 100)
                kill_a_worker(server)
            wait_for_predictions(server, 100)

        assert wrong == []
        assert set(server.workers()) != before
        assert server.ping() == 200
        assert server.metric("serving_worker_deaths_total") == 6


def test_a_killed_loader_costs_no_request_and_is_replaced(tmp_path: Path) -> None:
    with serving(faults.save(faults.Echo(seconds=0.02), tmp_path / "model")) as server:
        wait_until(lambda: len(server.workers()) == 2)
        with load(server) as wrong:
            (loader,) = children(server.popen.pid)
            workers = server.workers()
            os.kill(loader, signal.SIGKILL)
            for worker in workers:
                os.kill(worker, signal.SIGKILL)
            wait_until(lambda: server.metric("serving_worker_deaths_total") == 3)
            wait_until(lambda: server.metric("serving_workers") == 2)
            wait_for_predictions(server, 100)

        assert wrong == []
        deaths = {line["message"].partition(";")[0] for line in server.log() if line["message"].startswith("worker ")}
        assert deaths == {f"worker {pid} died of an unknown cause" for pid in workers}


def test_a_request_that_kills_its_worker_fails_alone(tmp_path: Path) -> None:
    notes, hold = tmp_path / "notes", tmp_path / "hold"
    model = faults.save(faults.DiesInPredict(notes=notes, hold=hold), tmp_path / "model")
    with serving(model, workers=1) as server, ThreadPoolExecutor(9) as threads:
        hold.touch()
        first = threads.submit(server.predict, [0, 0])
        wait_until(lambda: "0" in faults.noted(notes))
        replies = [threads.submit(server.predict, [number, 0]) for number in (1, 2, FATAL, 4, 5)]
        wait_until(lambda: server.metric("serving_queue_requests") == 5)  # they make one batch
        hold.unlink()

        assert first.result().status == 200
        assert [reply.result().status for reply in replies] == [200, 200, 500, 200, 200]
        assert replies[2].result().json()["detail"] == "The process that predicts died over this request."


def test_requests_that_kill_their_workers_do_not_end_the_server(tmp_path: Path) -> None:
    with serving(faults.save(faults.DiesInPredict(), tmp_path / "model")) as server:
        with ThreadPoolExecutor(6) as threads:
            replies = [threads.submit(server.predict, [FATAL, 0]) for _ in range(6)]

        assert [reply.result().status for reply in replies] == [500] * 6
        assert server.metric("serving_worker_deaths_total") > 10
        assert server.predict([3, 0]).json() == {"predictions": [3.0]}


def test_workers_that_die_without_a_request_end_the_server(tmp_path: Path) -> None:
    with serving(faults.save(faults.Echo(), tmp_path / "model"), workers=1) as server:
        for deaths in range(10):
            wait_until(lambda: server.metric("serving_workers") == 1)
            os.kill(server.workers()[0], signal.SIGKILL)
            if deaths < 9:
                wait_for_deaths(server, deaths + 1)

        assert server.popen.wait(10) == 1
        assert server.log()[-1]["message"] == "10 workers died in a row without answering a request: giving up"


def test_loaders_that_die_harm_nothing_while_workers_live(tmp_path: Path) -> None:
    with serving(faults.save(faults.Echo(), tmp_path / "model")) as server:
        wait_until(lambda: server.metric("serving_workers") == 2)
        for deaths in range(12):
            wait_until(lambda: children(server.popen.pid) != [])
            os.kill(children(server.popen.pid)[0], signal.SIGKILL)
            wait_for_deaths(server, deaths + 1)

        assert server.predict([3, 0]).json() == {"predictions": [3.0]}
        assert server.metric("serving_workers") == 2


def test_a_prediction_that_outlasts_its_deadline_is_ended(tmp_path: Path) -> None:
    model = faults.save(faults.HangsInPredict(), tmp_path / "model")
    with serving(model, workers=1, timeout_seconds=1.5) as server:
        stuck = server.predict([FATAL, 0])

        assert stuck.status == 504
        assert "retry-after" not in stuck.headers
        assert stuck.json()["detail"] == "The prediction took longer than the request's deadline."
        assert server.predict([1, 0]).json() == {"predictions": [1.0]}
        (line,) = [line for line in server.log() if "a prediction was ended" in line["message"]]
        assert "waits for a thread, process or lock" in line["message"]


def test_a_short_deadline_costs_no_worker_at_once(tmp_path: Path) -> None:
    model = faults.save(faults.Echo(seconds=0.5), tmp_path / "model")
    with serving(model, workers=1) as server:
        attributes = f"deadline-ms={int(time.time() * 1000) + 250}"
        server.predict([1, 0], X_Amzn_SageMaker_Custom_Attributes=attributes)  # late, or just in time
        wait_until(lambda: server.predict([2, 0]).status == 200)

        assert server.metric("serving_worker_deaths_total") == 0


def test_ping_is_503_while_a_prediction_is_stuck(tmp_path: Path) -> None:
    model = faults.save(faults.HangsInPredict(), tmp_path / "model")
    with serving(model, stuck_seconds=0.5, timeout_seconds=3) as server, ThreadPoolExecutor(1) as threads:
        wait_until(lambda: server.metric("serving_workers") == 2)
        began = time.monotonic()
        stuck = threads.submit(server.predict, [FATAL, 0])
        wait_until(lambda: server.ping() == 503)

        assert time.monotonic() - began > 0.5
        assert "has been running" in server.ask("GET", "/ping").json()["detail"]
        assert server.predict([1, 0]).json() == {"predictions": [1.0]}
        assert stuck.result().status == 504


def test_a_worker_loads_the_model_itself_without_preload(tmp_path: Path) -> None:
    with serving(faults.save(faults.Echo(), tmp_path / "model"), preload="false") as server:
        wait_until(lambda: server.metric("serving_workers") == 2)

        assert server.predict([3, 0]).json() == {"predictions": [3.0]}


def test_what_a_models_own_code_leaves_behind_is_not_kept(tmp_path: Path) -> None:
    program = tmp_path / "model" / "code" / "inference.py"
    program.parent.mkdir(parents=True)
    program.write_text(
        "import numpy as np\n"
        "class Shard:\n"
        "    def __init__(self):\n"
        "        self.numbers = np.ones(1_000_000)\n"
        "        self.myself = self\n"
        "def model_fn(model_dir):\n"
        "    return sum(Shard().numbers.sum() for _ in range(20))\n"
        "def predict_fn(data, model):\n"
        "    return data\n"
    )
    with serving(tmp_path / "model") as server:
        (loader,) = children(server.popen.pid)

        assert psutil.Process(loader).memory_info().rss < 130 * 2**20
