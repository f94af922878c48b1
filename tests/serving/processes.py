"""The real server as a process on a port of its own, and clients that speak to it."""

import http.client
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]
PYTHONPATH = os.pathsep.join(str(path) for path in (ROOT / "serving-container", ROOT))
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """One kept connection."""

    def __init__(self, address: str, timeout: float = 30) -> None:
        self.connection = http.client.HTTPConnection(address, timeout=timeout)

    def ask(self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Reply:
        self.connection.request(method, path, body, dict(headers or {}))
        response = self.connection.getresponse()
        return Reply(response.status, {k.lower(): v for k, v in response.headers.items()}, response.read())

    def predict(self, *rows: list[float], **headers: str) -> Reply:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask("POST", "/invocations", json.dumps({"data": rows}).encode(), {**JSON, **names})


@dataclass(frozen=True, slots=True)
class Process:
    """A running server, its address and the file it logs to."""

    popen: subprocess.Popen[bytes]
    address: str
    output: Path

    @contextmanager
    def client(self, timeout: float = 30) -> Iterator[Client]:
        client = Client(self.address, timeout)
        try:
            yield client
        finally:
            client.connection.close()

    def ask(self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Reply:
        with self.client() as client:
            return client.ask(method, path, body, headers)

    def predict(self, *rows: list[float], **headers: str) -> Reply:
        with self.client() as client:
            return client.predict(*rows, **headers)

    def ping(self) -> int:
        return self.ask("GET", "/ping").status

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.output.read_text().splitlines()]

    def metric(self, name: str) -> float:
        text = self.ask("GET", "/metrics").body.decode()
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    def workers(self) -> list[int]:
        """Process ids of the workers: the children of the server's child."""
        return [worker for loader in children(self.popen.pid) for worker in children(loader)]

    @contextmanager
    def no_more_files(self, pid: int = 0) -> Iterator[None]:
        """The server, or another process, cannot open any file or socket that it does not have open."""
        pid = pid or self.popen.pid
        limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, limits[1]))
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)

    def terminate(self, timeout: float = 30) -> int:
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(timeout)


def children(pid: int) -> list[int]:
    """Process ids of a process's children that are alive."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def launch(model_dir: Path, output: Path, **settings: object) -> subprocess.Popen[bytes]:
    variables = {f"SERVING_{name.upper()}": str(value) for name, value in settings.items()}
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": PYTHONPATH,
        "SERVING_MODEL_DIR": str(model_dir),
        "SERVING_PORT": "0",
        "SERVING_WORKERS": "2",
        **variables,
    }
    with output.open("wb") as file:
        command = [sys.executable, "-m", "predictor", "serve"]
        return subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=environment)


@contextmanager
def serving(model_dir: Path, *, ready: bool = True, **settings: object) -> Iterator[Process]:
    """A server that listens, and is ready unless told otherwise; ended with all its processes."""
    output = model_dir / "output.log"
    popen = launch(model_dir, output, **settings)
    try:
        wait_until(lambda: "listening on" in output.read_text() or popen.poll() is not None)
        found = re.search(r"listening on ([\d.]+:\d+)", output.read_text())
        assert found, output.read_text()
        process = Process(popen, urlsplit(f"//{found[1]}").netloc, output)
        if ready:
            wait_until(lambda: process.ping() == 200)
        yield process
    finally:
        if popen.poll() is None:
            popen.terminate()
            try:
                popen.wait(5)
            except subprocess.TimeoutExpired:
                popen.kill()
                popen.wait()
        sys.stdout.write(output.read_text())  # pytest shows it when the test fails


def train(directory: Path, name: str = "iris") -> Path:
    """Train an example model into a directory."""
    script = ROOT / "serving-container" / "example" / "train.py"
    subprocess.run([sys.executable, str(script), name, "--output", str(directory)], check=True, capture_output=True)
    return directory
