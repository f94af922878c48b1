import json
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.serving import faults
from tests.serving.processes import PYTHONPATH, Process, children, launch, serving, wait_until

PROBLEM = "application/problem+json"


def echo(tmp_path: Path, seconds: float = 0.0) -> Path:
    """A model that notes in `notes` what it is given."""
    return faults.save(faults.Echo(seconds, tmp_path / "notes"), tmp_path / "model")


def loading(tmp_path: Path) -> Path:
    """A model that is not loaded as long as there is a file `hold`."""
    (tmp_path / "hold").touch()
    return faults.save(faults.SlowToLoad(hold=tmp_path / "hold"), tmp_path / "model")


def test_ping_is_503_before_the_model_is_loaded_and_200_after(tmp_path: Path) -> None:
    with serving(loading(tmp_path), ready=False) as server:
        before = server.ask("GET", "/ping")
        (tmp_path / "hold").unlink()
        wait_until(lambda: server.ping() == 200)

        assert (before.status, before.json()["detail"]) == (503, "The server is starting.")
        assert before.headers["retry-after"] == "1"


def test_a_request_before_the_model_is_loaded_is_told_to_come_again(tmp_path: Path) -> None:
    with serving(loading(tmp_path), ready=False) as server:
        reply = server.predict([1, 2])

        assert (reply.status, reply.headers["retry-after"]) == (503, "1")


def test_sigterm_while_the_model_loads_ends_at_once_with_0(tmp_path: Path) -> None:
    with serving(loading(tmp_path), ready=False) as server:
        assert server.terminate(timeout=20) == 0


def test_sigterm_under_load_answers_every_accepted_request(tmp_path: Path) -> None:
    """Each of 32 clients goes on until it is told to close."""
    with serving(echo(tmp_path, seconds=0.05)) as server, ThreadPoolExecutor(32) as threads:
        outcomes = [threads.submit(ask_until_closed, server, float(number)) for number in range(100, 132)]
        wait_until(lambda: set(map(str, range(100, 132))) <= set(faults.noted(tmp_path / "notes")))
        code = server.terminate()

        answered = [outcome.result() for outcome in outcomes]
        assert code == 0
        assert min(answered) > 0
        assert server.log()[-1]["message"] == "all requests are answered"


def ask_until_closed(server: Process, number: float) -> int:
    """Count right answers; anything else but the end of the connection raises."""
    answered = 0
    with server.client() as client:
        while True:
            reply = client.predict([number, answered])
            assert (reply.status, reply.json()) == (200, {"predictions": [number]})
            answered += 1
            if reply.headers.get("connection") == "close":
                return answered


def test_ping_is_503_while_draining(tmp_path: Path) -> None:
    hold = tmp_path / "hold"
    model = faults.save(faults.Echo(notes=tmp_path / "notes", hold=hold), tmp_path / "model")
    with serving(model) as server, ThreadPoolExecutor(1) as threads, server.client() as prober:
        hold.touch()
        slow = threads.submit(server.predict, [3, 2])
        wait_until(lambda: "3" in faults.noted(tmp_path / "notes"))
        pings = [prober.ask("GET", "/ping")]
        server.popen.send_signal(signal.SIGTERM)
        while pings[-1].status == 200:
            pings.append(prober.ask("GET", "/ping"))
        hold.unlink()

        assert pings[0].status == 200
        assert (pings[-1].status, pings[-1].json()["detail"]) == (503, "The server is draining.")
        assert slow.result().json() == {"predictions": [3.0]}
        assert server.popen.wait(10) == 0


def test_a_request_that_outlives_the_drain_is_reported(tmp_path: Path) -> None:
    with serving(echo(tmp_path, seconds=30.0), drain_seconds=0.5) as server, server.client() as client:
        client.connection.request("POST", "/invocations", b'{"data": [[3, 2]]}', {"Content-Type": "application/json"})
        wait_until(lambda: "3" in faults.noted(tmp_path / "notes"))

        assert server.terminate() == 1
        assert server.log()[-1]["message"] == "1 requests were not answered within 0.5 s"


def test_sighup_answers_what_was_accepted(tmp_path: Path) -> None:
    with serving(echo(tmp_path, seconds=0.5)) as server, ThreadPoolExecutor(1) as threads:
        slow = threads.submit(server.predict, [3, 0])
        wait_until(lambda: "3" in faults.noted(tmp_path / "notes"))
        server.popen.send_signal(signal.SIGHUP)

        assert server.popen.wait(20) == 0
        assert slow.result().json() == {"predictions": [3.0]}


def test_sighup_is_ignored_where_the_parent_ignores_it(tmp_path: Path) -> None:
    """As under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with serving(echo(tmp_path)) as server:
            server.popen.send_signal(signal.SIGHUP)

            assert server.predict([3, 0]).json() == {"predictions": [3.0]}
            assert server.terminate() == 0
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_no_process_stays_behind(tmp_path: Path, number: signal.Signals) -> None:
    with serving(echo(tmp_path)) as server:
        wait_until(lambda: len(server.workers()) == 2)
        family = [*children(server.popen.pid), *server.workers()]
        server.popen.send_signal(number)

        assert server.popen.wait(10) == 0
        wait_until(lambda: not any(alive(pid) for pid in family))


def test_no_process_stays_behind_a_killed_server(tmp_path: Path) -> None:
    with serving(echo(tmp_path)) as server:
        wait_until(lambda: len(server.workers()) == 2)
        family = [*children(server.popen.pid), *server.workers()]
        server.popen.kill()
        server.popen.wait()

        wait_until(lambda: not any(alive(pid) for pid in family))


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_taken_port_gives_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        output = tmp_path / "output.log"

        assert launch(echo(tmp_path), output, port=port).wait(10) == 1

    (line,) = output.read_text().splitlines()
    assert json.loads(line)["message"] == f"cannot listen on 127.0.0.1:{port}: Address already in use"


def test_a_bad_setting_gives_one_line(tmp_path: Path) -> None:
    output = tmp_path / "output.log"

    assert launch(tmp_path, output, workers="many").wait(10) == 2

    (line,) = output.read_text().splitlines()
    assert json.loads(line)["message"] == "SERVING_WORKERS must be a whole number of at least 1, not 'many'"


def test_an_unknown_command_shows_the_usage() -> None:
    command = [sys.executable, "-m", "predictor", "train"]

    result = subprocess.run(command, capture_output=True, text=True, check=False, env={"PYTHONPATH": PYTHONPATH})

    assert result.returncode == 2
    assert result.stderr.startswith("usage: python -m predictor serve")


@pytest.mark.parametrize("preload", ["true", "false"])
@pytest.mark.parametrize(
    ("model", "message"),
    [
        (faults.MissingDependency(), "a_package_that_is_not_installed"),
        (faults.KilledInLoad(), "most likely the memory does not hold the model"),
    ],
    ids=["missing dependency", "out of memory"],
)
def test_a_model_that_cannot_load_gives_one_line(
    tmp_path: Path, model: faults.Echo, message: str, preload: str
) -> None:
    output = tmp_path / "output.log"

    code = launch(faults.save(model, tmp_path / "model"), output, preload=preload).wait(30)

    first, *others = map(json.loads, output.read_text().splitlines())
    assert code > 0
    assert first["message"].startswith("listening on")
    assert [message in line["message"] for line in others] == [True]
