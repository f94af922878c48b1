"""An API Gateway REST API in front of the real Lambda handler, as template.yaml describes both.

    ENDPOINT_NAME=local ... python -m local.gateway

The process's environment is the function's: `python -m local` starts it with what the template sets and nothing else.
"""

import argparse
import asyncio
import json
import re
import secrets
import sys
import time
import uuid
import zlib
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from local.errors import ChainError, GatewayError
from local.event import Incoming, Outgoing, Place, is_binary, proxy_event, response
from local.function import Function, load_handler
from local.server import add_address_arguments, open_socket, serve
from local.settings import ENVIRON, PARAMETERS, TEMPLATE
from local.template import Api, GatewayResponse, Method, parameters, read_template
from sam_template import TemplateError

# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
MAX_BODY = 10 * 1024 * 1024
INTEGRATION_SECONDS = 29
# wbits of zlib.decompressobj
# RFC 9110, section 8.4.1.3: x-gzip is gzip.
WINDOW_BITS = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
DEFAULT_BODY = '{"message":$context.error.messageString}'


class Gateway:
    """Every request of the API, in the order API Gateway treats it: size, route, key, function."""

    def __init__(self, api: Api, function: Function, api_key: str | None, seconds: float) -> None:
        self._api = api
        self._seconds = seconds
        self._function = function
        self._api_key = api_key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request, whatever its method."""
        try:
            reply = await self._answer(Request(scope, receive))
        except ClientDisconnect:
            return
        await reply(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        body = await _read(request)
        if body is None:
            return Response(f"HTTP content length exceeded {MAX_BODY} bytes.", 413, media_type="text/plain")
        incoming = _incoming(request, body)
        try:
            outgoing = await self._pass_on(incoming)
        except GatewayError as error:
            outgoing = self._refused(error, incoming)
        reply = Response(outgoing.body, outgoing.status)
        reply.raw_headers += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in outgoing.headers]
        reply.headers["x-amzn-RequestId"] = incoming.request_id
        return reply

    async def _pass_on(self, incoming: Incoming) -> Outgoing:
        method, place = self._route(incoming)
        incoming = self._identified(method, incoming)
        if self._api.compressed_from is not None:
            incoming = decompressed(incoming)
        binary = is_binary(incoming.media_type, self._api.binary_types)
        event = proxy_event(incoming, place, binary=binary)
        try:
            answer = await asyncio.wait_for(self._function.invoke(event), self._seconds)
        except TimeoutError as error:
            raise GatewayError("INTEGRATION_TIMEOUT") from error
        return response(answer, accept=incoming.header("accept"), binary_types=self._api.binary_types)

    def _route(self, incoming: Incoming) -> tuple[Method, Place]:
        for method in self._api.methods:
            parameters = method.match(incoming.method, incoming.path)
            if parameters is not None:
                return method, Place(method.resource, self._api.stage, parameters)
        raise GatewayError("MISSING_AUTHENTICATION_TOKEN")

    def _identified(self, method: Method, incoming: Incoming) -> Incoming:
        if self._api_key is None or not method.key_required:
            return incoming
        if incoming.header("x-api-key") != self._api_key:
            raise GatewayError("INVALID_API_KEY")
        return replace(incoming, api_key_id="local")

    def _refused(self, error: GatewayError, incoming: Incoming) -> Outgoing:
        """Render the gateway response the API defines for this error, or API Gateway's own."""
        if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            line = {"level": "ERROR", "service": "gateway", "request_id": incoming.request_id, "message": str(error)}
            print(json.dumps(line), file=sys.stderr, flush=True)
        default = "DEFAULT_4XX" if error.status < HTTPStatus.INTERNAL_SERVER_ERROR else "DEFAULT_5XX"
        responses = self._api.gateway_responses
        defined = responses.get(error.kind) or responses.get(default) or GatewayResponse(None, {}, None)
        variables = _variables(error, incoming, self._api.stage)
        headers = {"Content-Type": "application/json", "x-amzn-ErrorType": error.code}
        headers |= {name: _filled(value, variables) for name, value in defined.headers.items()}
        body = _filled(defined.body or DEFAULT_BODY, variables)
        return Outgoing(defined.status or error.status, list(headers.items()), body.encode())


def _variables(error: GatewayError, incoming: Incoming, stage: str) -> dict[str, str]:
    return {
        "context.error.message": error.message,
        "context.error.messageString": json.dumps(error.message),
        "context.error.responseType": error.kind,
        "context.error.validationErrorString": error.detail,
        "context.httpMethod": incoming.method,
        "context.path": incoming.path,
        "context.requestId": incoming.request_id,
        "context.stage": stage,
    }


def _filled(text: str, variables: Mapping[str, str]) -> str:
    return re.sub(r"\$(context(?:\.\w+)+)", lambda match: variables.get(match[1], ""), text)


async def _read(request: Request) -> bytes | None:
    """Return the body, or None when it is too large."""
    body = bytearray()
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        # Read on without keeping it, so that the client hears the answer instead of a broken connection.
        if size <= MAX_BODY:
            body += chunk
    return bytes(body) if size <= MAX_BODY else None


def decompressed(incoming: Incoming) -> Incoming:
    """Undo the Content-Encoding, as API Gateway does where compression is on.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-enable-compression.html
    """
    encoding = incoming.header("content-encoding", "identity").strip().lower()
    if encoding == "identity":
        return incoming
    if encoding not in WINDOW_BITS:
        raise GatewayError("UNSUPPORTED_MEDIA_TYPE", encoding)
    inflater = zlib.decompressobj(WINDOW_BITS[encoding])
    try:
        body = inflater.decompress(incoming.body, MAX_BODY + 1)
    except zlib.error as exc:
        raise GatewayError("UNSUPPORTED_MEDIA_TYPE", str(exc)) from exc
    if len(body) > MAX_BODY:
        raise GatewayError("REQUEST_TOO_LARGE")
    if not inflater.eof:
        raise GatewayError("UNSUPPORTED_MEDIA_TYPE", "cut short")
    headers = [(name, value) for name, value in incoming.headers if name.lower() != "content-encoding"]
    return replace(incoming, body=body, headers=headers)


def _incoming(request: Request, body: bytes) -> Incoming:
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
        body=body,
        protocol=f"HTTP/{request.scope['http_version']}",
        source_ip=source_ip,
    )


def create_app(api: Api, function: Function, api_key: str | None, seconds: float = INTEGRATION_SECONDS) -> Starlette:
    """Return the gateway as an ASGI application; it waits so many seconds for the function."""
    gateway = Gateway(api, function, api_key, seconds)
    compression = [] if api.compressed_from is None else [Middleware(GZipMiddleware, minimum_size=api.compressed_from)]
    return Starlette(routes=[Mount("/", gateway)], middleware=compression)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.gateway", description=__doc__.partition("\n")[0])
    parser.add_argument("--api-key", help="the x-api-key callers must send (default: none is asked for)")
    add_address_arguments(parser, port=3000)
    arguments = parser.parse_args()
    try:
        template = read_template(TEMPLATE, PARAMETERS | parameters(TEMPLATE, ENVIRON))
        handler = load_handler(template.function.handler)
        sock = open_socket(arguments, "gateway")
    except (ChainError, TemplateError) as error:
        parser.exit(1, f"{parser.prog}: {error}\n")
    app = create_app(template.api, Function(handler, template.function.limits), arguments.api_key)
    serve(app, sock, template.function.environment.get("CORS_ORIGIN", ""))


if __name__ == "__main__":
    main()
