"""What API Gateway does with a request before and after the function, where ministack does not.

One id is the answer's x-amzn-RequestId and the function's requestContext.requestId; bodies have limits; a gzipped body
is unpacked where the API compresses.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
"""

import gzip
import json
import zlib
from contextvars import ContextVar
from typing import Any

from ministack.services import apigateway_v1 as gateway

GATEWAY_LIMIT = 10 * 1024 * 1024
LAMBDA_LIMIT = 6 * 1024 * 1024

REQUEST_ID: ContextVar[str] = ContextVar("REQUEST_ID")


class EventTooLargeError(Exception):
    """Raise when Lambda would not take an event."""


def install() -> None:
    wrap_execution()
    wrap_event()
    wrap_invocation()


def wrap_execution() -> None:
    """The arguments are api_id, stage_name, method, path, headers, body, and others that are passed on."""
    execute = gateway._execute_in_scope

    async def execute_in_scope(request: dict[str, Any], *arguments: Any) -> Any:
        api_id, stage_name, headers, body = arguments[0], arguments[1], arguments[4], arguments[5]
        if len(body) > GATEWAY_LIMIT:
            text = f"HTTP content length exceeded {GATEWAY_LIMIT} bytes."
            return 413, {"Content-Type": "text/plain"}, text.encode()
        try:
            body = unpacked(gateway._rest_apis.get(api_id) or {}, headers, body)
        except (OSError, EOFError, zlib.error):
            request["stage"] = gateway.stages_for_api(api_id).get(stage_name) or {}
            return gateway._gw_error("UNSUPPORTED_MEDIA_TYPE", "The body is not what its Content-Encoding says.")
        token = REQUEST_ID.set(request["request_id"])
        try:
            answer = await execute(request, *arguments[:5], body, *arguments[6:])
        finally:
            REQUEST_ID.reset(token)
        if isinstance(answer, tuple):
            answer[1]["x-amzn-requestid"] = request["request_id"]
        return answer

    gateway._execute_in_scope = execute_in_scope


def unpacked(api: dict[str, Any], headers: dict[str, str], body: bytes) -> bytes:
    if api.get("minimumCompressionSize") is None or headers.get("content-encoding", "").lower() != "gzip":
        return body
    return gzip.decompress(body)


def wrap_event() -> None:
    build = gateway._build_lambda_event_v1

    def build_event(*arguments: Any, **options: Any) -> dict[str, Any]:
        event: dict[str, Any] = build(*arguments, **options)
        event["requestContext"]["requestId"] = REQUEST_ID.get()
        if len(json.dumps(event)) > LAMBDA_LIMIT:
            raise EventTooLargeError
        return event

    gateway._build_lambda_event_v1 = build_event


def wrap_invocation() -> None:
    invoke = gateway._invoke_lambda_proxy_v1

    async def invoke_function(*arguments: Any, **options: Any) -> Any:
        try:
            return await invoke(*arguments, **options)
        except EventTooLargeError:
            return gateway._gw_error("REQUEST_TOO_LARGE", "Request Too Long")

    gateway._invoke_lambda_proxy_v1 = invoke_function
