"""What is refused before any application of the local chain sees it: unclear framing, strange hosts, strange origins.

The chain asks for no credentials by default. Without these checks every page that its user opens could call it: from
another origin, or under a name of its own that it lets point to 127.0.0.1 (DNS rebinding).
"""

import json
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

Headers = list[tuple[bytes, bytes]]
FRAMED_TWICE = "Transfer-Encoding and Content-Length: a request has one of them."
TARGET = "The request target is not a path."


class Perimeter:
    """An ASGI application in front of another one."""

    def __init__(self, app: ASGIApp, *, listens_on: str, origin: str) -> None:
        self._app = app
        # Whoever listens on another address wants to be called by other names.
        self._only_local = _is_local(listens_on)
        self._origin = origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = _in_origin_form(scope)
            if refused := self._refusal(scope):
                await refused(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        headers: Headers = scope["headers"]
        if _values(headers, b"transfer-encoding") and _values(headers, b"content-length"):
            return _problem(400, "Bad Request", FRAMED_TWICE)
        if not scope["path"].startswith("/"):
            return _problem(400, "Bad Request", TARGET)
        # HTTP/1.0 needs none.
        if self._only_local and any(not _is_local(_host(f"//{value}")) for value in _values(headers, b"host")):
            return _problem(403, "Forbidden", "Host: the local chain answers on 127.0.0.1 and localhost only.")
        if strange := [value for value in _values(headers, b"origin") if not self._is_known(value)]:
            detail = f"Origin {strange[0][:100]} may not call this: start the chain with CORS_ORIGIN={strange[0][:100]}"
            return _problem(403, "Forbidden", detail)
        return None

    def _is_known(self, origin: str) -> bool:
        return self._origin in ("*", origin) or _is_local(_host(origin))


def _in_origin_form(scope: Scope) -> Scope:
    """Read a target in absolute form; its host goes before the header (RFC 9112, section 3.2.2)."""
    raw = scope["raw_path"].decode("latin-1")
    if not raw.lower().startswith(("http://", "https://")):
        return scope
    host, slash, _ = raw.partition("://")[2].partition("/")
    skipped = raw.index("://") + len("://") + len(host)
    path = scope["path"][skipped:] if slash else "/"
    headers = [pair for pair in scope["headers"] if pair[0] != b"host"]
    return {
        **scope,
        "path": path,
        "raw_path": raw[skipped:].encode("latin-1") or b"/",
        "headers": [(b"host", host.encode("latin-1")), *headers],
    }


def _values(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in headers if key == name]


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_local(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _problem(status: int, title: str, detail: str) -> Response:
    document = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    # The rest of the request is not read, so nothing may follow it.
    headers = {"Connection": "close"}
    return Response(json.dumps(document), status, headers, "application/problem+json")
