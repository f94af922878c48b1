"""The hook through its real clients: a Lambda and a CodeDeploy that answer over HTTP and remember the questions."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest

from deployment.parameters import read_template
from golden.hook import CALL_SECONDS, TIMEOUT_SECONDS, Hook, event
from golden.requests import GoldenRequest

VERSION = "arn:aws:lambda:us-east-1:123456789012:function:invoker:7"
CALL = {"DeploymentId": "d-ABC", "LifecycleEventHookExecutionId": "token"}
GOLDEN = GoldenRequest("golden request 0", {"data": [[1, 2]]}, {"predictions": ["setosa"]})


@dataclass(slots=True)
class Aws:
    """Answers every invocation with `payload`; `told` is what CodeDeploy was told."""

    payload: Any
    error: str = ""
    # Given before `payload`, once each.
    first: list[Any] = field(default_factory=list)
    url: str = ""
    asked: list[tuple[str, Any]] = field(default_factory=list)
    told: list[Any] = field(default_factory=list)

    def hook(self, seconds: float = 300) -> Hook:
        settings: Any = {
            "endpoint_url": self.url,
            "region_name": "us-east-1",
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
        }
        deadline = time.monotonic() + seconds
        return Hook(boto3.client("lambda", **settings), boto3.client("codedeploy", **settings), VERSION, deadline)


@pytest.fixture
def aws() -> Iterator[Aws]:
    answers = Aws({"statusCode": 200, "body": json.dumps(GOLDEN.answer)})

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path.startswith("/2015-03-31/functions/"):
                answers.asked.append((self.path.split("/")[3], body))
                payload = answers.first.pop(0) if answers.first else answers.payload
                self.answer(payload, {"X-Amz-Function-Error": answers.error} if answers.error else {})
            else:
                answers.told.append(body)
                self.answer({}, {})

        def answer(self, payload: Any, headers: dict[str, str]) -> None:
            body = json.dumps(payload).encode()
            self.send_response(200)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        answers.url = f"http://127.0.0.1:{server.server_port}"
        yield answers
        server.shutdown()


def told(status: str) -> list[dict[str, str]]:
    return [{"deploymentId": "d-ABC", "lifecycleEventHookExecutionId": "token", "status": status}]


def test_the_expected_answer_lets_the_rollout_go_on(aws: Aws) -> None:
    assert aws.hook()(CALL, [GOLDEN]) == "Succeeded"
    assert aws.told == told("Succeeded")


def test_the_new_version_is_asked_and_no_other(aws: Aws) -> None:
    aws.hook()(CALL, [GOLDEN])

    assert aws.asked == [(VERSION.replace(":", "%3A"), event(GOLDEN))]


@pytest.mark.parametrize(
    ("payload", "error"),
    [
        ({"statusCode": 200, "body": '{"predictions": ["virginica"]}'}, ""),
        ({"statusCode": 502, "body": '{"title": "Bad Gateway"}'}, ""),
        ({"errorMessage": "Unable to import module", "errorType": "Runtime.ImportModuleError"}, "Unhandled"),
    ],
    ids=["wrong-answer", "model-fails", "function-fails"],
)
def test_anything_else_stops_the_rollout(
    aws: Aws, payload: Any, error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.payload, aws.error = payload, error

    assert aws.hook()(CALL, [GOLDEN]) == "Failed"
    assert aws.told == told("Failed")
    [line] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert "golden request 0" in line["message"], "the log does not say which request failed"
    assert line["level"] == "ERROR"
    assert datetime.fromisoformat(line["timestamp"]).tzinfo, "Lambda takes a line without a time for INFO"


def starting(status: int, **headers: str) -> dict[str, Any]:
    return {"statusCode": status, "headers": headers, "body": json.dumps({"status": status})}


def test_a_cold_endpoint_is_asked_again(aws: Aws) -> None:
    aws.first = [
        starting(503, **{"Retry-After": "1"}),
        starting(504, **{"Retry-After": "0"}),
        starting(429, **{"retry-after": "0"}),
    ]
    began = time.monotonic()

    assert aws.hook()(CALL, [GOLDEN]) == "Succeeded"
    assert aws.told == told("Succeeded")
    assert len(aws.asked) == 4
    assert time.monotonic() - began >= 1, "asked again before the time that the answer named"


@pytest.mark.parametrize("retry_after", ["5", "3600", "Fri, 27 Nov 2026 12:00:00 GMT"])
def test_an_endpoint_that_stays_cold_stops_the_rollout_in_time(aws: Aws, retry_after: str) -> None:
    aws.payload = starting(503, **{"Retry-After": retry_after})

    assert aws.hook(seconds=75)(CALL, [GOLDEN]) == "Failed"
    assert aws.told == told("Failed")
    assert len(aws.asked) == 1


def test_a_refusal_is_not_asked_again(aws: Aws) -> None:
    aws.first = [starting(502)]

    assert aws.hook()(CALL, [GOLDEN]) == "Failed"
    assert len(aws.asked) == 1


def test_the_hooks_time_is_that_of_the_template() -> None:
    """A call, and telling CodeDeploy, fit in with room to spare."""
    properties = read_template()["Resources"]["RolloutHook"]["Properties"]
    longest = max(row["Function"] for row in read_template()["Mappings"]["Timeouts"].values())

    assert properties["Timeout"] == TIMEOUT_SECONDS
    assert longest < CALL_SECONDS < TIMEOUT_SECONDS / 2
