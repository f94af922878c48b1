"""Each event of events/, given to the real handler in front of the real endpoint.

What cannot come through this API's gateway is here too, such as a body in base64 that is none.
"""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from local import commands
from local.commands import Addresses
from tests import events
from tests.chain.running import ROOT, Running

CALL_ALL = """
import json, sys
from local.function import Context, Limits, load_handler
from tests import events
handler = load_handler("invoker.app.handler")
answers = {name: handler(events.load(name), Context(Limits(26, 1024))) for name in events.EXPECTED}
print("answers:", json.dumps(answers))
"""


@pytest.fixture(scope="session")
def answers(chain: Running) -> dict[str, Any]:
    """The handler's answer to each event, in the environment that Lambda would give it."""
    addresses = Addresses(chain.url, chain.runtime_url, "")
    environment = commands.function_environment(addresses, os.environ) | {"DOCS_ENABLED": "false"}
    called = subprocess.run(
        [sys.executable, "-c", CALL_ALL], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    (line,) = [line for line in called.stdout.splitlines() if line.startswith("answers: ")]
    found: dict[str, Any] = json.loads(line.removeprefix("answers: "))
    return found


@pytest.mark.parametrize(("name", "status"), events.EXPECTED.items())
def test_event(answers: dict[str, Any], name: str, status: int) -> None:
    answer = answers[name]
    assert answer["statusCode"] == status
    if name == "predict-csv":
        assert (answer["headers"]["Content-Type"], answer["body"].split()) == ("text/csv", ["versicolor", "virginica"])
        return
    body = json.loads(answer["body"])
    if status == 200:
        assert answer["headers"]["Content-Type"] == "application/json"
        assert "predictions" in body or body["status"] == "ok"
    else:
        assert answer["headers"]["Content-Type"] == "application/problem+json"
        assert (body["status"], body["request_id"]) == (status, events.load(name)["requestContext"]["requestId"])


def test_a_body_that_is_no_base64_is_said_to_be_unreadable(answers: dict[str, Any]) -> None:
    assert json.loads(answers["bad-base64"]["body"])["detail"] == "The body cannot be decoded: expected UTF-8 text."
