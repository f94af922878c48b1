"""SageMaker's InvokeEndpoint, forwarded to a serving container, and DescribeEndpoint.

What a container answers with an error reaches the caller as a ModelError (424) with the original status and message:
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html#API_runtime_InvokeEndpoint_Errors
"""

import asyncio
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from typing import Any

from ministack.core.responses import get_account_id

from tests.deploy.emulator.permissions import INVOCATION

Answer = tuple[int, dict[str, str], bytes]

TIMEOUT = 60.0
FORWARDED = re.compile(r"content-type|accept|x-amzn-sagemaker-.*", re.IGNORECASE)


def parse_endpoints(text: str) -> dict[str, str]:
    """`name=url,name=url` as a mapping."""
    pairs = (pair.partition("=") for pair in text.split(",") if pair)
    return {name: url for name, _, url in pairs}


def refusal(code: str, status: int, message: str, **more: Any) -> Answer:
    body = json.dumps({"__type": code, "Message": message, **more})
    return status, {"Content-Type": "application/json", "x-amzn-ErrorType": code}, body.encode()


def model_error(status: int, message: str) -> Answer:
    side = "client" if 400 <= status < 500 else "server"
    text = f'Received {side} error ({status}) from primary with message "{message}".'
    return refusal("ModelError", 424, text, OriginalStatusCode=status, OriginalMessage=message, LogStreamArn="")


def forward(url: str, headers: dict[str, str], body: bytes) -> Answer:
    """POST to the container's /invocations."""
    wanted = {name: value for name, value in headers.items() if FORWARDED.fullmatch(name)}
    request = urllib.request.Request(f"{url}/invocations", data=body, method="POST", headers=wanted)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
            # in lower case, for ministack rewrites a `Content-Type` to that of an API's envelope
            kept = {"content-type": response.headers["Content-Type"], "x-amzn-invoked-production-variant": "AllTraffic"}
            return response.status, kept, response.read()
    except urllib.error.HTTPError as error:
        return model_error(error.code, error.read().decode(errors="replace"))
    except TimeoutError:
        return model_error(0, "Your invocation timed out while waiting for a response from container primary.")
    except OSError as error:
        return refusal("ServiceUnavailable", 503, str(error))


@dataclass(frozen=True, slots=True)
class SageMaker:
    """`existing` maps an endpoint's name to its container, `records` are by type what stacks have made."""

    existing: dict[str, str]
    records: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)

    async def answer(
        self, _method: str, path: str, headers: dict[str, str], body: bytes, _query: dict[str, Any]
    ) -> Answer:
        if match := INVOCATION.search(path):
            return await self.invoke(urllib.parse.unquote(match[1]), headers, body)
        target = next((value for name, value in headers.items() if name.lower() == "x-amz-target"), "")
        if target == "SageMaker.DescribeEndpoint":
            return self.describe(json.loads(body)["EndpointName"])
        for kind in ("Model", "EndpointConfig"):
            if target == f"SageMaker.Describe{kind}":
                return self.describe_record(kind, json.loads(body)[f"{kind}Name"])
        return refusal("UnknownOperationException", 400, target)

    async def invoke(self, name: str, headers: dict[str, str], body: bytes) -> Answer:
        url = self.existing.get(name) or (self.existing.get("*") if name in self.made_by_name() else None)
        if not url:
            return refusal("ValidationError", 400, f"Endpoint {name} of account {get_account_id()} not found.")
        return await asyncio.to_thread(forward, url, headers, body)

    def made_by_name(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """Of each endpoint: its ARN and properties."""
        made = {f"endpoint/{name}": {"EndpointConfigName": name} for name in self.existing if name != "*"}
        made |= self.records["AWS::SageMaker::Endpoint"]
        return {one.get("EndpointName") or arn.rsplit("/", 1)[1]: (arn, one) for arn, one in made.items()}

    def describe(self, name: str) -> Answer:
        if name not in self.made_by_name():
            return refusal("ValidationException", 400, f'Could not find endpoint "{name}".')
        arn, properties = self.made_by_name()[name]
        described = {
            "EndpointName": name,
            "EndpointArn": arn,
            "EndpointConfigName": properties.get("EndpointConfigName"),
            "EndpointStatus": "InService",
            "CreationTime": time.time(),
            "LastModifiedTime": time.time(),
        }
        return described_as(described)

    def describe_record(self, kind: str, name: str) -> Answer:
        """A model or an endpoint configuration: CloudFormation's properties have the names that the API has."""
        for arn, properties in self.records[f"AWS::SageMaker::{kind}"].items():
            if name in (properties.get(f"{kind}Name"), arn.rsplit("/", 1)[1]):
                return described_as({f"{kind}Name": name, f"{kind}Arn": arn, "CreationTime": time.time(), **properties})
        return refusal("ValidationException", 400, f'Could not find {kind} "{name}".')


def described_as(description: dict[str, Any]) -> Answer:
    return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(description).encode()
