"""The routes, and what each does: event -> proxy -> schema -> endpoint -> proxy -> answer."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from invoker import __version__, proxy
from invoker.documents import Document, Documents
from invoker.endpoint import Endpoint, Invocation
from invoker.errors import INTERNAL, Failure, InvokerError
from invoker.judgement import judge
from invoker.proxy import Request, Response
from invoker.settings import Settings
from invoker.telemetry import Telemetry, Watch

# The page has scripts and styles of its own only, and calls no other host.
PAGE_HEADERS = {
    "Cache-Control": "public, max-age=3600",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data: blob:; connect-src 'self'; "
        "base-uri 'self'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
}
# What a page may read of an answer besides its body; the template's gateway responses say the same.
EXPOSED_HEADERS = "X-Request-Id, Server-Timing, Retry-After"
# What a page may send besides what any may: the credential of each of the template's modes, the body's type and
# compression, a trace.
CALLERS_HEADERS = (
    "content-encoding",
    "content-type",
    "traceparent",
    "x-api-key",
    # A bearer token, or an AWS signature and what goes with it.
    "authorization",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
)
# Kept back of the function's time to write the answer after the endpoint's deadline.
RESERVE_SECONDS = 1.0


class Context(Protocol):
    """What is used of Lambda's context object."""

    @property
    def aws_request_id(self) -> str: ...
    def get_remaining_time_in_millis(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Call:
    """One request on its way, and what goes with it."""

    request: Request
    watch: Watch
    # Of time.monotonic().
    deadline: float


Routes = Mapping[str, Mapping[str, Callable[[Call], Response]]]
NO_ROUTES: Routes = MappingProxyType({})


class Service:
    def __init__(
        self,
        settings: Settings,
        endpoint: Endpoint,
        documents: Documents,
        telemetry: Telemetry,
        more_routes: Routes = NO_ROUTES,
    ) -> None:
        self._settings = settings
        self._endpoint = endpoint
        self._documents = documents
        self._telemetry = telemetry
        preflight = {"OPTIONS": self.preflight} if settings.cors_origin else {}
        self._routes: dict[str, Mapping[str, Callable[[Call], Response]]] = {
            "/predict": {"POST": self.predict, **preflight},
            "/health": {"GET": self.health},
            "/schema": {"GET": self.schema},
            **more_routes,
        }
        if settings.docs_enabled:
            self._routes |= {
                "/": {"GET": self.page},
                "/openapi.json": {"GET": self.openapi},
                "/docs": {"GET": self.docs},
                "/docs/{asset}": {"GET": self.asset},
            }

    def handle(self, event: Mapping[str, Any], context: Context) -> dict[str, Any]:
        """Answer an API Gateway event; whatever happens, the answer is one that API Gateway takes."""
        watch = Watch()
        deadline = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS
        request = proxy.read(event, fallback_id=context.aws_request_id)
        try:
            response = self._route(request)(Call(request, watch, deadline))
        except Exception as error:  # noqa: BLE001  # the last resort: a traceback is for the log only
            response = self._refuse(error, request, watch)
        watch.stop()
        self._telemetry.record(request, response, watch)
        return proxy.write(response, self._headers(request, watch))

    def predict(self, call: Call) -> Response:
        self._telemetry.body(call.request)
        with call.watch.measure("validation"):
            body = proxy.body(call.request, max_bytes=self._settings.max_body_bytes)
            call.watch.rows = judge(
                body.content, body.media_type, self._documents.model, max_rows=self._settings.max_rows
            )
        with call.watch.measure("endpoint"):
            invocation = Invocation(body, call.request.request_id, call.request.traceparent, call.deadline)
            answer = self._endpoint.invoke(invocation)
        return proxy.answer(answer.content, answer.content_type, accept=body.accept)

    def schema(self, call: Call) -> Response:  # noqa: ARG002  # routes are called alike
        document = self._documents.schema()
        if document is None:
            raise InvokerError(Failure.UNKNOWN_PATH, "This API has no schema.json: the model judges what it gets.")
        return Response(200, document.text, content_type=document.content_type)

    def health(self, call: Call) -> Response:  # noqa: ARG002  # routes are called alike
        """Say what is deployed; SageMaker is not asked."""
        deployed = {
            "status": "ok",
            "version": __version__,
            "endpoint": self._settings.endpoint_name,
            "schema": self._documents.digest,
        }
        return Response(200, json.dumps(deployed))

    def preflight(self, call: Call) -> Response:  # noqa: ARG002  # routes are called alike
        """Tell a browser what a page of the set origin may send: https://fetch.spec.whatwg.org/#cors-preflight-fetch."""
        allowed = {
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Allow-Headers": ", ".join(CALLERS_HEADERS),
            "Access-Control-Max-Age": "86400",
        }
        return Response(204, "", allowed)

    def openapi(self, call: Call) -> Response:
        return _shown(self._documents.openapi(call.request.base_url, self._settings.auth, jobs="/jobs" in self._routes))

    def docs(self, call: Call) -> Response:  # noqa: ARG002  # routes are called alike
        return _shown(self._documents.swagger())

    def page(self, call: Call) -> Response:
        return _shown(self._documents.page(call.request.base_url, self._settings.auth))

    def asset(self, call: Call) -> Response:
        document = self._documents.asset(call.request.parameters.get("asset", ""))
        if document is None:
            raise InvokerError(Failure.UNKNOWN_PATH, "The page has no such part.")
        return _shown(document)

    def _route(self, request: Request) -> Callable[[Call], Response]:
        methods = self._routes.get(request.resource)
        if methods is None:
            raise InvokerError(Failure.UNKNOWN_PATH, "There is nothing at this path. POST /predict asks the model.")
        if request.method not in methods:
            allow = ", ".join(methods)
            raise InvokerError(Failure.METHOD_NOT_ALLOWED, f"This path takes {allow} only.", headers={"Allow": allow})
        return methods[request.method]

    def _refuse(self, error: Exception, request: Request, watch: Watch) -> Response:
        known = error if isinstance(error, InvokerError) else InvokerError(Failure.INTERNAL, INTERNAL)
        watch.outcome = known.failure.outcome
        self._telemetry.fault(known, error, request)
        return proxy.problem(known, request_id=request.request_id)

    def _headers(self, request: Request, watch: Watch) -> dict[str, str]:
        headers = {
            "X-Request-Id": request.request_id,
            "Server-Timing": watch.server_timing(),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }
        if self._settings.cors_origin:
            headers["Access-Control-Allow-Origin"] = self._settings.cors_origin
            headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
        return headers


def _shown(document: Document) -> Response:
    return Response(200, document.text, PAGE_HEADERS, document.content_type)
