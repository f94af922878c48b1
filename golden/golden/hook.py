"""The Lambda that CodeDeploy calls before it shifts traffic to a new version of the invoker.

CodeDeploy -> hook: golden requests -> the new version -> compare -> CodeDeploy: Succeeded or Failed.
https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from golden import requests
from golden.requests import GoldenRequest

GOLDEN = Path(__file__).parent.parent / "golden.json"


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
    """`version` is the ARN of the new version; the clients are boto3's."""

    functions: Any
    deployments: Any
    version: str

    def __call__(self, call: dict[str, str], golden: Sequence[GoldenRequest]) -> str:
        """Ask the new version and tell CodeDeploy; returns what it was told."""
        differences = [f"{item.name}: {line}" for item in golden for line in self._ask(item)]
        for line in differences:
            print(json.dumps({"level": "ERROR", "message": line}))  # noqa: T201 - the function's log
        status = "Failed" if differences else "Succeeded"
        self.deployments.put_lifecycle_event_hook_execution_status(
            deploymentId=call["DeploymentId"],
            lifecycleEventHookExecutionId=call["LifecycleEventHookExecutionId"],
            status=status,
        )
        return status

    def _ask(self, item: GoldenRequest) -> list[str]:
        result = self.functions.invoke(FunctionName=self.version, Payload=json.dumps(event(item)).encode())
        payload = json.loads(result["Payload"].read())
        if "FunctionError" in result:
            return [f"the function failed: {payload}"]
        return item.differences(payload["statusCode"], payload["body"].encode())


def handler(call: dict[str, str], _context: object) -> str:
    """Check the version named in NEW_VERSION; an exception here fails the deployment as well."""
    hook = Hook(boto3.client("lambda"), boto3.client("codedeploy"), os.environ["NEW_VERSION"])
    return hook(call, requests.read(GOLDEN))
