"""ASGI applications served over real HTTP."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
import uvicorn
from starlette.applications import Starlette

from local.server import bind, configuration

Start = Callable[[Starlette], str]


@contextmanager
def serving(app: Starlette, origin: str = "") -> Iterator[str]:
    """Serve an application in a thread and yield its base URL."""
    sock = bind("127.0.0.1", 0, "test server")
    sock.listen()
    server = uvicorn.Server(configuration(app, sock, origin))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        sock.close()


@pytest.fixture
def start() -> Iterator[Start]:
    """Return a function that serves an application until the test ends."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(serving(app))
