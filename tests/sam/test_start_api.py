"""`sam local start-api`, called with requests."""

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.sam_cli import SamCli

POINTS = [[1, 2], [3, 4], [3, 3], [10, 1], [7, 8]]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait_for(url: str, process: subprocess.Popen[str], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if requests.get(url, timeout=30).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.2)
    raise AssertionError(f"{url} does not answer\n{log.read_text()}")


@pytest.fixture(scope="session")
def url(
    local_sam: SamCli, project: Path, local_options: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    port = free_port()
    log = tmp_path_factory.mktemp("start-api") / "log"
    # LAZY: EAGER starts every function of the template, and those of a guarded rollout are not for here.
    arguments = ("local", "start-api", "--port", str(port), "--warm-containers", "LAZY", *local_options)
    with log.open("w") as output:
        process = local_sam.start(*arguments, cwd=project, output=output.fileno())
    try:
        wait_for(f"http://127.0.0.1:{port}/health", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)  # with SIGKILL the function's container would stay
        process.wait(30)


def predict(url: str, body: Any) -> requests.Response:
    return requests.post(f"{url}/predict", json=body, timeout=30)


def test_predicts(url: str) -> None:
    response = predict(url, {"data": POINTS})

    assert response.status_code == 200, response.text
    assert response.json() == {"predictions": ["versicolor", "virginica", "virginica", "virginica", "virginica"]}


def test_refuses_what_the_schema_does_not_allow(url: str) -> None:
    response = predict(url, {"data": [[1, 2], [3]]})

    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"
    assert [error["pointer"] for error in response.json()["errors"]] == ["/data/1"]


def test_passes_on_what_the_model_refuses(url: str) -> None:
    response = predict(url, {"data": [[1, 2, 3]]})

    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"
    assert "expected 2 features" in response.json()["detail"]
