"""An API Gateway REST API in front of the real Lambda handler, as template.yaml describes both.

    ENDPOINT_NAME=local ... python -m local.gateway

The process's environment is the function's: `python -m local` starts it with what the template sets and nothing else.
"""

import argparse
import json
import re
import secrets
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from jsonschema import Draft4Validator
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.errors import ChainError, EventTooLargeError, FunctionError
from local.event import Incoming, Outgoing, Place, is_binary, proxy_event, response
from local.function import Function, load_handler
from local.server import add_address_arguments, open_socket, serve
from local.settings import PARAMETERS, TEMPLATE
from local.template import Api, GatewayResponse, Method, read_template

# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
MAX_BODY = 10 * 1024 * 1024
DEFAULT_BODY = '{"message":$context.error.messageString}'


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer the gateway gives by itself; `kind` is its gateway response type, `code` its x-amzn-ErrorType.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
    """

    kind: str
    status: int
    message: str
    code: str
    detail: str = ""


NO_ROUTE = Refusal(
    "MISSING_AUTHENTICATION_TOKEN", 403, "Missing Authentication Token", "MissingAuthenticationTokenException"
)
NO_KEY = Refusal("INVALID_API_KEY", 403, "Forbidden", "ForbiddenException")
TOO_LARGE = Refusal("REQUEST_TOO_LARGE", 413, "Request Too Long", "RequestTooLargeException")
BAD_ANSWER = Refusal("DEFAULT_5XX", 502, "Internal server error", "InternalServerErrorException")


class Gateway:
    """Every request of the API, in the order API Gateway treats it: size, route, key, validator, function."""

    def __init__(self, api: Api, function: Function, api_key: str | None) -> None:
        self._api = api
        self._function = function
        self._api_key = api_key

    async def answer(self, request: Request) -> Response:
        """Answer one HTTP request."""
        incoming = await _take_in(request)
        if incoming is None:
            return Response(f"HTTP content length exceeded {MAX_BODY} bytes.", 413, media_type="text/plain")
        outgoing = await self._handle(incoming)
        reply = Response(outgoing.body, outgoing.status)
        reply.raw_headers += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in outgoing.headers]
        reply.headers["x-amzn-RequestId"] = incoming.request_id
        return reply

    async def _handle(self, incoming: Incoming) -> Outgoing:
        for method in self._api.methods:
            parameters = method.match(incoming.method, incoming.path)
            if parameters is not None:
                break
        else:
            return self._refused(NO_ROUTE, incoming)
        if refusal := self._check_key(method, incoming) or _check_body(method, incoming):
            return self._refused(refusal, incoming)
        return await self._call(Place(method.resource, self._api.stage, parameters), incoming)

    def _check_key(self, method: Method, incoming: Incoming) -> Refusal | None:
        if self._api_key is None or not method.key_required or incoming.header("x-api-key") == self._api_key:
            return None
        return NO_KEY

    async def _call(self, place: Place, incoming: Incoming) -> Outgoing:
        binary = is_binary(incoming.media_type, self._api.binary_types)
        event = proxy_event(incoming, place, binary=binary)
        try:
            answer = await self._function.invoke(event)
            return response(answer, accept=incoming.header("accept"), binary_types=self._api.binary_types)
        except EventTooLargeError as exc:
            return self._failed(TOO_LARGE, incoming, exc)
        except FunctionError as exc:
            return self._failed(BAD_ANSWER, incoming, exc)

    def _failed(self, refusal: Refusal, incoming: Incoming, exc: FunctionError) -> Outgoing:
        print(json.dumps({"level": "ERROR", "request_id": incoming.request_id, "message": str(exc)}), file=sys.stderr)
        return self._refused(refusal, incoming)

    def _refused(self, refusal: Refusal, incoming: Incoming) -> Outgoing:
        """Render the gateway response the API defines for this refusal, or API Gateway's own."""
        default = "DEFAULT_4XX" if refusal.status < HTTPStatus.INTERNAL_SERVER_ERROR else "DEFAULT_5XX"
        responses = self._api.gateway_responses
        defined = responses.get(refusal.kind) or responses.get(default) or GatewayResponse(None, {}, None)
        variables = {
            "context.error.message": refusal.message,
            "context.error.messageString": json.dumps(refusal.message),
            "context.error.responseType": refusal.kind,
            "context.error.validationErrorString": refusal.detail,
            "context.path": f"/{self._api.stage}{incoming.path}",
            "context.httpMethod": incoming.method,
            "context.requestId": incoming.request_id,
            "context.stage": self._api.stage,
        }
        headers = {"Content-Type": "application/json", "x-amzn-ErrorType": refusal.code}
        headers |= {name: _filled(value, variables) for name, value in defined.headers.items()}
        body = _filled(defined.body or DEFAULT_BODY, variables)
        return Outgoing(defined.status or refusal.status, list(headers.items()), body.encode())


def _filled(text: str, variables: Mapping[str, str]) -> str:
    return re.sub(r"\$(context(?:\.\w+)+)", lambda match: variables.get(match[1], ""), text)


def _check_body(method: Method, incoming: Incoming) -> Refusal | None:
    """The coarse validator: it looks only at bodies of a media type that the API has a model for."""
    validator = method.validators.get(incoming.media_type)
    detail = "" if validator is None else _flaw(incoming.body, validator)
    return Refusal("BAD_REQUEST_BODY", 400, "Invalid request body", "BadRequestException", detail) if detail else None


def _flaw(body: bytes, validator: Draft4Validator) -> str:
    try:
        value = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):  # a ValueError is also bad UTF-8
        return "Invalid JSON"
    return str([error.message[:200] for error in validator.iter_errors(value)] or "")


def _refuse_constant(name: str) -> None:
    """Python reads NaN and Infinity, which are not JSON."""
    raise ValueError(name)


async def _take_in(request: Request) -> Incoming | None:
    body = bytearray()
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        # Read on without keeping it, so that the client hears the answer instead of a broken connection.
        if size <= MAX_BODY:
            body += chunk
    if size > MAX_BODY:
        return None
    headers = [(name.title(), value) for name, value in request.headers.items()]
    source_ip = request.client.host if request.client else ""
    port = str(request.url.port or 80)
    headers += [("X-Forwarded-For", source_ip), ("X-Forwarded-Port", port), ("X-Forwarded-Proto", "http")]
    headers += [("X-Amzn-Trace-Id", f"Root=1-{int(time.time()):08x}-{secrets.token_hex(12)}")]
    return Incoming(
        request_id=str(uuid.uuid4()),
        method=request.method,
        path=request.url.path,
        query=request.url.query,
        headers=headers,
        body=bytes(body),
        protocol=f"HTTP/{request.scope['http_version']}",
        source_ip=source_ip,
    )


def create_app(api: Api, function: Function, api_key: str | None) -> Starlette:
    """Return the gateway as an ASGI application."""
    gateway = Gateway(api, function, api_key)
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"]
    return Starlette(routes=[Route("/{path:path}", gateway.answer, methods=methods)])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.gateway", description=__doc__.partition("\n")[0])
    parser.add_argument("--api-key", help="the x-api-key callers must send (default: none is asked for)")
    add_address_arguments(parser, port=3000)
    arguments = parser.parse_args()
    try:
        template = read_template(TEMPLATE, PARAMETERS)
        handler = load_handler(template.function.handler)
        sock = open_socket(arguments, "gateway")
    except ChainError as exc:
        parser.exit(1, f"{parser.prog}: {exc}\n")
    serve(create_app(template.api, Function(handler, template.function.limits), arguments.api_key), sock)


if __name__ == "__main__":
    main()
