"""What the chain prints when it is ready, and for each request."""

import json
import re
from pathlib import Path

import requests

from tests.chain.running import ANY_PORTS, Running, left_of, running


def test_the_first_prediction_has_gone_through_before_it_is_ready(chain: Running) -> None:
    before, _, _ = chain.log.read_text().partition("\nready: ")

    requests_ = [json.loads(line) for line in before.splitlines() if '"message":"request"' in line]
    assert [(line["route"], line["status"]) for line in requests_] == [("POST /predict", 200)]


def test_it_says_what_the_model_takes(chain: Running) -> None:
    text = chain.log.read_text()

    assert "takes rows of 2 features:\n\n    petal length (cm)  number\n    petal width (cm)   number\n" in text


def test_lines_for_people(tmp_path: Path) -> None:
    """As on a terminal: a request is a line, and no metrics."""
    with running(tmp_path / "log", *ANY_PORTS, "--logs", "text") as chain:
        chain.wait_until_ready()
        requests.post(f"{chain.url}/predict", json={"data": [[1, 2]]}, timeout=30)
        requests.post(f"{chain.url}/predict", json={"data": [["a", 2]]}, timeout=30)

        chain.wait_for(r"^\d\d:\d\d:\d\d  POST /predict  200  1 row  \d+ ms$")
        chain.wait_for(r"^\d\d:\d\d:\d\d  POST /predict  400  (1 row  )?\d+ ms  (request_error|refused_by_model)$")
        processes = chain.processes()

    assert "{" not in re.sub(r"'\{.*\}'", "", chain.log.read_text())
    assert left_of(processes) == []


def test_cors_origin_opens_the_preflight_and_marks_refusals(tmp_path: Path) -> None:
    origin = {"Origin": "https://example.com"}
    with running(tmp_path / "log", *ANY_PORTS, CORS_ORIGIN="https://example.com") as chain:
        chain.wait_until_ready()

        preflight = requests.options(f"{chain.url}/predict", headers=origin, timeout=30)
        refused = requests.get(f"{chain.url}/models", headers=origin, timeout=30)

    assert (preflight.status_code, refused.status_code) == (204, 404)
    for response in (preflight, refused):
        assert response.headers["Access-Control-Allow-Origin"] == "https://example.com"
        assert "Retry-After" in response.headers["Access-Control-Expose-Headers"]
