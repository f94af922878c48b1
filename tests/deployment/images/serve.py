"""A serving container that does one thing wrong: its name is the argument."""

import json
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FAULT = sys.argv[1]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.answer(503 if FAULT == "never-ready" else 200, b"pong" if FAULT == "ping-with-body" else b"")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        predictions = ["wrong" if FAULT == "wrong-answer" else "setosa" for _ in body["data"]]
        self.answer(200, json.dumps({"predictions": predictions}).encode())

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def leave(*_: Any) -> None:
    sys.exit(3 if FAULT == "leaves-with-an-error" else 0)


if FAULT == "ends-at-once":
    sys.exit("model.pkl: no such file")
# As PID 1 a process without a handler does not get the signal.
if FAULT != "deaf":
    signal.signal(signal.SIGTERM, leave)
ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()  # in a container of its own
