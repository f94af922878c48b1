"""What a user sees who types `make run`."""

import fcntl
import json
import os
import pty
import re
import shlex
import signal
import socket
import subprocess
import sys
import termios
import time
from pathlib import Path
from urllib.parse import urlsplit

import joblib
import pandas as pd
import psutil
import pytest
import requests
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from tests.chain.running import ANY_PORTS, ROOT, Running, left_of, running
from tests.serving.processes import wait_until


def test_the_printed_curl_line_works_as_printed(chain: Running) -> None:
    printed = subprocess.run(["sh", "-c", chain.curl], capture_output=True, text=True, check=True, timeout=60).stdout

    assert json.loads(printed) == {"predictions": ["versicolor", "virginica", "virginica", "virginica", "virginica"]}
    assert chain.curl == (
        f"curl -X POST {chain.url}/predict -H 'Content-Type: application/json'"
        " -d '{\"data\": [[1,2],[3,4],[3,3],[10,1],[7,8]]}'"
    )


def test_listens_on_this_machine_only(chain: Running) -> None:
    addresses = {
        connection.laddr.ip
        for process in chain.processes()
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    }

    assert addresses == {"127.0.0.1"}


def test_the_request_id_reaches_the_containers_log(chain: Running) -> None:
    response = requests.post(f"{chain.url}/predict", json={"data": [[1, 2]]}, timeout=30)

    request_id = response.headers["X-Request-Id"]

    def writers() -> set[str]:
        lines = [json.loads(line) for line in chain.log.read_text().splitlines() if request_id in line]
        return {"function" if line.get("service") == "invoker" else "container" for line in lines}

    assert response.headers["x-amzn-RequestId"] == request_id
    wait_until(lambda: writers() == {"function", "container"})  # the container writes it once it has answered


def test_callers_that_hang_up_leave_no_trace(chain: Running) -> None:
    for url, path in ((chain.url, "/predict"), (chain.runtime_url, "/endpoints/local/invocations")):
        address = urlsplit(url)
        with socket.create_connection((address.hostname or "", address.port or 0)) as connection:
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
            connection.sendall(head.encode() + b'{"data": ')
        assert requests.post(f"{chain.url}/predict", json={"data": [[1, 2]]}, timeout=30).status_code == 200

    assert "Traceback" not in chain.log.read_text()


def test_ctrl_c_stops_everything(tmp_path: Path) -> None:
    """A closed terminal (SIGHUP) and the end of make (SIGTERM) have tests of their own below."""
    with running(tmp_path / "log") as chain:
        chain.wait_until_ready()
        processes = chain.processes()

        chain.process.send_signal(signal.SIGINT)

        assert chain.process.wait(40) == 0
        assert len(processes) >= 4
        assert left_of(processes) == []
        assert chain.log.read_text().count("Traceback") == 0


def test_ctrl_c_while_it_starts_stops_everything(tmp_path: Path) -> None:
    with running(tmp_path / "log") as chain:
        chain.wait_for("^starting with")
        time.sleep(0.3)
        processes = chain.processes()

        chain.process.send_signal(signal.SIGINT)

        assert chain.process.wait(40) == 0
        assert left_of(processes) == []


def test_killing_the_chain_leaves_no_process(tmp_path: Path) -> None:
    with running(tmp_path / "log") as chain:
        chain.wait_until_ready()
        processes = chain.processes()

        chain.process.kill()

        assert left_of(processes, 40) == []


def test_closing_the_terminal_stops_everything() -> None:
    ours, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "local", *ANY_PORTS],
        cwd=ROOT,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509  # it only calls the system
    )
    os.close(terminal)
    printed = b""
    while b"Ctrl-C stops it" not in printed:
        printed += os.read(ours, 65_536)
    processes = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]

    os.close(ours)

    process.wait(40)
    assert left_of(processes) == []


@pytest.mark.parametrize(
    ("option", "part", "setting"),
    [
        ("--port", "gateway", "PORT"),
        ("--runtime-port", "SageMaker runtime", "RUNTIME_PORT"),
        ("--container-port", "serving container", "CONTAINER_PORT"),
    ],
)
def test_a_taken_port_is_one_clear_line(tmp_path: Path, option: str, part: str, setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with running(tmp_path / "log", *ANY_PORTS, option, str(port)) as chain:
            assert chain.process.wait(30) == 1

    free = re.findall(rf"add {setting}=(\d+) ", (tmp_path / "log").read_text())[0]
    assert (tmp_path / "log").read_text() == (
        f"local chain: port {port} for the {part} cannot be used: address already in use; "
        f"add {setting}={free} to `make run`\n"
    )


def test_a_model_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    with running(tmp_path / "log", *ANY_PORTS, "--model", "irs") as chain:
        assert chain.process.wait(30) == 1

    assert (tmp_path / "log").read_text() == (
        "local chain: MODEL=irs is not a directory (did you mean iris?); expected one with a model in it, "
        "or an example: iris, breast-cancer, wine, digits\n"
    )


def test_a_model_that_does_not_load_ends_the_chain_with_cause_and_remedy(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "model.pkl").write_bytes(b"no pickle")

    with running(tmp_path / "log", *ANY_PORTS, "--model", str(model)) as chain:
        processes = chain.processes()
        assert chain.process.wait(60) == 1

    *_, served, cause, remedy = (tmp_path / "log").read_text().splitlines()
    assert served == f"local chain: the model in {model} cannot be served"
    assert cause.startswith("  cause: ")
    assert "model.pkl" in cause
    assert remedy.startswith("  remedy: ")
    assert "Traceback" not in (tmp_path / "log").read_text()
    assert left_of(processes) == []


def test_a_part_that_dies_ends_the_chain(tmp_path: Path) -> None:
    with running(tmp_path / "log") as chain:
        chain.wait_until_ready()
        processes = chain.processes()
        (container,) = [part for part in processes if "predictor" in part.cmdline() and "serve" in part.cmdline()]

        container.kill()

        assert chain.process.wait(40) == 1
        assert left_of(processes) == []
    assert "local chain: the serving container ended with code -9" in (tmp_path / "log").read_text()


def test_another_example_is_served_with_a_line_that_works(tmp_path: Path) -> None:
    with running(tmp_path / "log", *ANY_PORTS, "--model", "breast-cancer") as chain:
        chain.wait_until_ready()

        answer = subprocess.run(shlex.split(chain.curl), capture_output=True, text=True, check=True, timeout=60).stdout

    (prediction,) = json.loads(answer)["predictions"]
    assert prediction in {"malignant", "benign"}


def save_table_model(directory: Path) -> None:
    """A model of named columns of several kinds, and rows of them as pandas writes them."""
    table = pd.DataFrame(
        {"age": [20, 30, 40, 50], "colour": ["red", "blue", "it's", "blue"], "member": [True, False, True, False]}
    )
    encoded = ColumnTransformer([("kinds", OneHotEncoder(), ["colour", "member"]), ("age", "passthrough", ["age"])])
    model = make_pipeline(encoded, LogisticRegression(max_iter=1000)).fit(table, ["no", "yes", "no", "yes"])
    directory.mkdir()
    joblib.dump(model, directory / "model.joblib")
    table[2:].to_csv(directory / "samples.csv", index=False)


def test_a_model_of_named_columns_is_served_with_a_line_that_works(tmp_path: Path) -> None:
    save_table_model(tmp_path / "model")

    with running(tmp_path / "log", *ANY_PORTS, "--model", str(tmp_path / "model")) as chain:
        chain.wait_until_ready()
        printed = subprocess.run(["sh", "-c", chain.curl], capture_output=True, text=True, check=True).stdout

    assert json.loads(printed) == {"predictions": ["no"]}
    assert shlex.split(chain.curl)[-1] == '{"data": [[40,"it\'s",true]], "columns": ["age","colour","member"]}'


def test_a_key_is_asked_for_when_one_is_set(tmp_path: Path) -> None:
    with running(tmp_path / "log", *ANY_PORTS, "--api-key", "secret-key") as chain:
        chain.wait_until_ready()
        url = f"{chain.url}/predict"
        statuses = [
            requests.post(url, json={"data": [[1, 2]]}, headers=headers, timeout=30).status_code
            for headers in ({}, {"x-api-key": "other"}, {"x-api-key": "secret-key"})
        ]
        health = requests.get(f"{chain.url}/health", timeout=30).status_code
        printed = subprocess.run(["sh", "-c", chain.curl], capture_output=True, text=True, check=True).stdout

    assert (statuses, health) == ([403, 403, 200], 200)
    assert "predictions" in json.loads(printed)


def test_credentials_and_proxies_of_the_user_do_not_matter(tmp_path: Path) -> None:
    users = {"AWS_PROFILE": "mine", "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    with running(tmp_path / "log", **users) as chain:
        chain.wait_until_ready()

        response = requests.post(f"{chain.url}/predict", json={"data": [[1, 2]]}, timeout=30)

    assert response.status_code == 200


def test_make_run_starts_the_chain(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = ["make", "run", "PORT=0", "RUNTIME_PORT=0", "CONTAINER_PORT=0"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    chain = Running(process, log)
    chain.wait_until_ready()
    processes = chain.processes()

    # Ctrl-C in a terminal reaches make and the chain alike.
    os.killpg(process.pid, signal.SIGINT)
    process.wait(40)

    assert left_of(processes) == []
    assert "stopping ..." in log.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_it_ends_with_make(tmp_path: Path, number: signal.Signals) -> None:
    """The pid that `make run &` prints is make's."""
    ports = ["PORT=0", "RUNTIME_PORT=0", "CONTAINER_PORT=0"]
    with (tmp_path / "log").open("wb") as output:
        make = subprocess.Popen(["make", "run", *ports], cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
    started = Running(make, tmp_path / "log")
    started.wait_until_ready()
    processes = started.processes()

    make.send_signal(number)

    make.wait(60)
    assert left_of(processes) == []
