"""The Lambda that CodeDeploy calls before it shifts traffic to a new version of the invoker.

CodeDeploy -> hook: golden requests -> the new version -> compare -> CodeDeploy: Succeeded or Failed.

A cold endpoint is no reason to go back: after a 503, 429 or 504 the version is asked again while there is time.
https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
"""

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from golden import requests
from golden.requests import GoldenRequest

GOLDEN = Path(__file__).parent.parent / "golden.json"
# An endpoint that starts, is busy, or has started too late for this request.
STARTING = frozenset({503, 429, 504})
# Where the answer does not say when to ask again.
WAIT_SECONDS = 5.0
# The longest that the version may run (template.yaml, Timeouts), and its own cold start.
CALL_SECONDS = 75.0
# Kept back to tell CodeDeploy, which would wait for an hour otherwise.
RESERVE_SECONDS = 15.0
# As in template.yaml.
TIMEOUT_SECONDS = 300.0


def event(request: GoldenRequest) -> dict[str, Any]:
    """Return the request as API Gateway's proxy integration hands it to the function."""
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    return {
        "resource": "/predict",
        "path": "/predict",
        "httpMethod": "POST",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "accountId": "",
            "apiId": "",
            "httpMethod": "POST",
            "identity": {"sourceIp": "127.0.0.1"},
            "path": "/predict",
            "protocol": "HTTP/1.1",
            "requestId": request.name.replace(" ", "-"),
            "resourcePath": "/predict",
            "stage": "hook",
        },
        "body": request.body().decode(),
        "isBase64Encoded": False,
    }


@dataclass(frozen=True, slots=True)
class Hook:
    """`version` is the ARN of the new version; the clients are boto3's; `deadline` is one of time.monotonic()."""

    functions: Any
    deployments: Any
    version: str
    deadline: float = field(default_factory=lambda: time.monotonic() + TIMEOUT_SECONDS - RESERVE_SECONDS)

    def __call__(self, call: dict[str, str], golden: Sequence[GoldenRequest]) -> str:
        """Ask the new version and tell CodeDeploy; returns what it was told."""
        differences = [f"{item.name}: {line}" for item in golden for line in self._ask(item)]
        for line in differences:
            _log("ERROR", line)
        status = "Failed" if differences else "Succeeded"
        self.deployments.put_lifecycle_event_hook_execution_status(
            deploymentId=call["DeploymentId"],
            lifecycleEventHookExecutionId=call["LifecycleEventHookExecutionId"],
            status=status,
        )
        return status

    def _ask(self, item: GoldenRequest) -> list[str]:
        while True:
            result = self.functions.invoke(FunctionName=self.version, Payload=json.dumps(event(item)).encode())
            payload = json.loads(result["Payload"].read())
            if "FunctionError" in result:
                return [f"the function failed: {payload}"]
            if payload["statusCode"] not in STARTING or not self._waited(payload):
                return item.differences(payload["statusCode"], payload["body"].encode())

    def _waited(self, payload: Mapping[str, Any]) -> bool:
        """Wait as long as the answer asks for; False where no time would be left to ask again."""
        seconds = _retry_after(payload.get("headers") or {})
        if time.monotonic() + seconds + CALL_SECONDS > self.deadline:
            return False
        _log("INFO", "asked again", status=payload["statusCode"], wait_seconds=seconds)
        time.sleep(seconds)
        return True


def _log(level: str, message: str, **more: Any) -> None:
    """Write a line of the function's log; without level and time Lambda would take it for INFO, and may drop it."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    print(json.dumps({"level": level, "timestamp": now, "message": message, **more}))  # noqa: T201  # the log


def _retry_after(headers: Mapping[str, Any]) -> float:
    value = next((str(value) for name, value in headers.items() if name.lower() == "retry-after"), "")
    return float(value) if value.isascii() and value.isdigit() else WAIT_SECONDS


def handler(call: dict[str, str], context: Any) -> str:
    """Check the version named in NEW_VERSION; an exception here fails the deployment as well."""
    deadline = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS
    # A call that outlasts the client's own patience would be sent again, and answered twice.
    patience = Config(read_timeout=CALL_SECONDS, retries={"total_max_attempts": 1})
    functions = boto3.client("lambda", config=patience)
    hook = Hook(functions, boto3.client("codedeploy"), os.environ["NEW_VERSION"], deadline)
    return hook(call, requests.read(GOLDEN))
