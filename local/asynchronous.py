"""SageMaker's asynchronous inference for the runtime: answers at once, asks the container, writes to S3, tells SNS.

API: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointAsync.html
"""

import asyncio
import json
import uuid
from collections import deque
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
from starlette.responses import JSONResponse, Response

from local.errors import ServiceError
from local.settings import ACCOUNT

PREFIX = "x-amzn-sagemaker-"
# https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference.html
MAX_BYTES = 1_073_741_824
MAX_RUN_SECONDS = 3600
DEFAULT_RUN_SECONDS = 900
# What the notices of an end may do: LOCAL_NOTICES=twice,late,never, one a job in turn.
WAYS = ("once", "twice", "late", "never")
LATE_SECONDS = 5.0
# The local S3 asks who calls, and checks no signature.
SIGNED = {
    "Authorization": f"AWS4-HMAC-SHA256 Credential={ACCOUNT.access_key_id}/20260101/{ACCOUNT.region}/s3/aws4_request"
}


@dataclass(frozen=True, slots=True)
class Call:
    """One asynchronous invocation."""

    inference_id: str
    endpoint: str
    input: str
    output: str
    failure: str
    seconds: float
    headers: Mapping[str, str]

    def notice(self, **members: Any) -> str:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        asked = {"endpointName": self.endpoint, "inputLocation": self.input}
        notice = {
            "awsRegion": "us-east-1",
            "eventTime": now,
            "receivedTime": now,
            "requestParameters": asked,
            "inferenceId": self.inference_id,
            "eventVersion": "1.0",
            "eventSource": "aws:sagemaker",
            "eventName": "InferenceResult",
        }
        return json.dumps({**notice, **members})


class Asynchronous:
    """An endpoint with AsyncInferenceConfig: one container, one bucket, two topics."""

    def __init__(self, name: str, container_url: str, aws_url: str, ways: tuple[str, ...] = ("once",)) -> None:
        self.name = name
        self._container_url = container_url
        self._aws_url = aws_url
        self._ways = deque(ways)
        self._client = httpx.AsyncClient(trust_env=False, timeout=httpx.Timeout(None))
        self._running: set[asyncio.Task[None]] = set()

    def accept(self, headers: Mapping[str, str]) -> Response:
        """Answer 202 with the places of the answer and of a failure; raise ServiceError."""
        location = headers.get(f"{PREFIX}inputlocation", "")
        place = urlsplit(location)
        if place.scheme != "s3" or not place.path.strip("/"):
            raise ServiceError("ValidationError", "InputLocation must be an object in S3.")
        seconds = headers.get(f"{PREFIX}invocationtimeoutseconds", str(DEFAULT_RUN_SECONDS))
        if not (seconds.isdigit() and 1 <= int(seconds) <= MAX_RUN_SECONDS):
            raise ServiceError("ValidationError", f"InvocationTimeoutSeconds must be 1 to {MAX_RUN_SECONDS}.")
        number = uuid.uuid4()
        call = Call(
            inference_id=headers.get(f"{PREFIX}inference-id", str(number)),
            endpoint=self.name,
            input=location,
            output=f"s3://{place.netloc}/outputs/{number}.out",
            failure=f"s3://{place.netloc}/failures/{number}-error.out",
            seconds=float(seconds),
            headers=_for_container(headers),
        )
        self._start(self._run(call, self._next_way()))
        places = {f"{PREFIX}OutputLocation": call.output, f"{PREFIX}FailureLocation": call.failure}
        return JSONResponse({"InferenceId": call.inference_id}, 202, places)

    async def close(self) -> None:
        for task in self._running:
            task.cancel()
        await self._client.aclose()

    def _next_way(self) -> str:
        self._ways.rotate(-1)
        return self._ways[-1]

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run(self, call: Call, way: str) -> None:
        notice = await self._ask(call)
        if way == "late":
            await asyncio.sleep(LATE_SECONDS)
        for _ in range({"never": 0, "twice": 2}.get(way, 1)):
            await self._client.post(f"{self._aws_url}/-/notices", content=notice)

    async def _ask(self, call: Call) -> str:
        """Ask the container, write the answer or the failure, and return the notice."""
        body = await self._client.get(self._url(call.input), headers=SIGNED)
        if not body.is_success:
            return await self._failed(call, "ClientError: the input cannot be read from S3.")
        if len(body.content) > MAX_BYTES:
            return await self._failed(call, f"ClientError: the input has more than {MAX_BYTES} bytes.")
        request = httpx.Request(
            "POST", f"{self._container_url}/invocations", headers=dict(call.headers), content=body.content
        )
        try:
            async with asyncio.timeout(call.seconds):
                answer = await self._client.send(request)
        except TimeoutError:
            return await self._failed(call, "ModelError: the invocation timed out.")
        except httpx.TransportError as error:
            return await self._failed(call, f"ModelError: the container broke off: {type(error).__name__}.")
        if not answer.is_success:
            side = "client" if answer.is_client_error else "server"
            message = f'Received {side} error ({answer.status_code}) from primary with message "{answer.text}".'
            return await self._failed(call, f"ModelError: {message} See the log group.")
        content_type = answer.headers.get("content-type", "application/json")
        await self._write(call.output, answer.content, content_type)
        told = {"contentType": content_type, "outputLocation": call.output}
        return call.notice(invocationStatus="Completed", responseParameters=told)

    async def _failed(self, call: Call, reason: str) -> str:
        await self._write(call.failure, reason.encode(), "text/plain")
        return call.notice(invocationStatus="Failed", failureReason=reason)

    async def _write(self, location: str, content: bytes, content_type: str) -> None:
        await self._client.put(self._url(location), content=content, headers={**SIGNED, "Content-Type": content_type})

    def _url(self, location: str) -> str:
        place = urlsplit(location)
        return f"{self._aws_url}/{place.netloc}{place.path}"


def _for_container(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of the operation as the container gets them."""
    names = {
        f"{PREFIX}content-type": "content-type",
        f"{PREFIX}accept": "accept",
        f"{PREFIX}custom-attributes": f"{PREFIX}custom-attributes",
        f"{PREFIX}inference-id": f"{PREFIX}inference-id",
    }
    return {new: headers[old] for old, new in names.items() if old in headers}
