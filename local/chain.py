"""Start the parts of the chain in order, say when they are ready, and stop them all."""

import json
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Any

import httpx

from local import commands
from local.banner import Served, banner, not_served
from local.commands import Addresses
from local.environment import find_python
from local.errors import ChainError
from local.example import find_model
from local.ports import Wanted, reserve
from local.process import Command, Process
from local.sample_request import Sample
from local.settings import Settings

HOST = "127.0.0.1"
POLL_SECONDS = 0.05
PROGRESS_SECONDS = 5.0
# The first prediction of a large model.
FIRST_SECONDS = 60.0


class Stopped(BaseException):
    """Raise when the user asked the chain to stop."""


class Chain:
    """The parts of the chain, from the container to the gateway."""

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self._environ = environ
        self._stop_asked = False
        self._stack = ExitStack()
        self._parts: list[Process] = []
        self._output: int | None = None

    def run(self) -> None:
        """Run until the user stops it; raise ChainError when it cannot start or go on. No process is left behind."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)
        with self._stack:
            try:
                self._start()
                while True:
                    self._pause()
            except Stopped:
                print("stopping ...", flush=True)

    def _ask_to_stop(self, _: int, __: FrameType | None) -> None:
        self._stop_asked = True

    def _start(self) -> None:
        gateway, runtime, container, aws = sockets = self._reserve()
        addresses = Addresses(*(f"http://{HOST}:{sock.getsockname()[1]}" for sock in sockets))
        model = find_model(self._settings.model, self._environ, self._run_to_end)
        python = find_python(model, self._run_to_end, _tell)
        print(f"starting with the model in {model} ...", flush=True)
        if self._settings.readable:
            self._output = self._stack.enter_context(_readable())
        # The container binds its port by itself.
        container.close()
        self._launch(commands.container(python, model, addresses, self._environ))
        self._launch(commands.aws(addresses, aws, self._environ))
        self._launch(commands.runtime(addresses, runtime, self._environ))
        sample, schema = self._sample(python, model)
        if sample.failure:
            raise ChainError(not_served(model, sample.failure))
        self._launch(commands.gateway(addresses, gateway, self._settings.api_key, schema, self._environ))
        self._wait_for("serving container", f"{addresses.container}/ping")
        self._wait_for("SageMaker runtime", f"{addresses.runtime}/ping")
        self._wait_for("AWS services of jobs", f"{addresses.aws}/-/ping")
        # A path that the gateway refuses itself.
        self._wait_for("gateway", f"{addresses.gateway}/-")
        if sample.body:
            self._try(addresses, sample)
        print(banner(addresses, Served(model, sample, _read(schema)), self._settings.api_key), flush=True)

    def _reserve(self) -> tuple[socket.socket, ...]:
        wanted = (
            Wanted("gateway", "PORT", self._settings.port),
            Wanted("SageMaker runtime", "RUNTIME_PORT", self._settings.runtime_port),
            Wanted("serving container", "CONTAINER_PORT", self._settings.container_port),
            # Only the function needs it, and it is told.
            Wanted("AWS services of jobs", "AWS_PORT", 0),
        )
        return tuple(self._stack.enter_context(sock) for sock in reserve(HOST, wanted))

    def _launch(self, command: Command) -> None:
        part = Process(command, self._output)
        # The stack stops the parts in reverse: nobody calls a part that has gone.
        self._stack.callback(part.stop)
        self._parts.append(part)

    def _run_to_end(self, command: Command) -> int:
        """Run a command that ends by itself; return its exit code."""
        process = Process(command)
        try:
            while (code := process.exit_code) is None:
                self._watch_for_stop()
        finally:
            process.stop()
        return code

    def _wait_for(self, part: str, url: str) -> None:
        started = said = time.monotonic()
        while not _answers(url):
            self._pause()
            if time.monotonic() - said > PROGRESS_SECONDS:
                said = time.monotonic()
                print(f"waiting for the {part} ({said - started:.0f} s) ...", flush=True)

    def _try(self, addresses: Addresses, sample: Sample) -> None:
        """Send the first request through the whole chain; say it when it is not answered by a prediction."""
        key = {} if self._settings.api_key is None else {"x-api-key": self._settings.api_key}
        headers = {"Content-Type": "application/json", **key}
        answer = httpx.post(
            f"{addresses.gateway}/predict", content=sample.body, headers=headers, timeout=FIRST_SECONDS, trust_env=False
        )
        if not answer.is_success:
            print(f"warning: the first request was answered by {answer.status_code}: {answer.text[:500]}", flush=True)

    def _pause(self) -> None:
        self._watch_for_stop()
        for part in self._parts:
            if part.exit_code is not None:
                raise ChainError(f"the {part.name} ended with code {part.exit_code}; see its message above")

    def _watch_for_stop(self) -> None:
        time.sleep(POLL_SECONDS)
        if self._stop_asked:
            raise Stopped

    def _sample(self, python: Path, model: Path) -> tuple[Sample, Path]:
        """Ask the model what it can be tried with, or why it does not load, and what it takes.

        The owner's schema.json goes before the one that is found out.
        """
        scratch = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self._run_to_end(commands.sample(python, model, scratch / "sample.json", self._environ))
        found = scratch / "sample.json"
        sample = Sample(**json.loads(found.read_text())) if found.exists() else Sample()
        own = model / "schema.json"
        return sample, own if own.is_file() else scratch / "schema.json"


def _tell(text: str) -> None:
    print(text, flush=True)


def _readable() -> Any:
    """Return a context with a file whose lines are shown as a person reads them."""
    command = commands.readable()
    # Ends by itself, when the last part that writes to it has ended.
    filter_ = subprocess.Popen(  # noqa: S603  # our own command
        command.arguments, cwd=command.directory, env=dict(command.environment), stdin=subprocess.PIPE, process_group=0
    )
    return _Filter(filter_)


class _Filter:
    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def __enter__(self) -> int:
        assert self._process.stdin is not None
        return self._process.stdin.fileno()

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def _read(file: Path) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
    return schema


def _answers(url: str) -> bool:
    try:
        return not httpx.get(url, timeout=5, trust_env=False).is_server_error
    except httpx.TransportError:
        return False
