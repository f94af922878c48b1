"""`python -m local` as a user starts it."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
# A first start trains the example model.
READY_SECONDS = 180
ANY_PORTS = ("--port", "0", "--runtime-port", "0", "--container-port", "0")


@dataclass(frozen=True, slots=True)
class Running:
    """A started chain, and the file that holds what it prints."""

    process: subprocess.Popen[bytes]
    log: Path

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Return what matches in the output as soon as it is there."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            ended = self.process.poll() is not None
            if found := re.search(pattern, self.log.read_text(), re.MULTILINE):
                return found
            assert not ended, f"ended with {self.process.returncode}:\n{self.log.read_text()}"
            time.sleep(0.05)
        raise AssertionError(f"no {pattern!r} within {READY_SECONDS} s in:\n{self.log.read_text()}")

    def wait_until_ready(self) -> None:
        self.wait_for("^ready: ")

    @property
    def url(self) -> str:
        return self.wait_for(r"^ready: (\S+)")[1]

    @property
    def runtime_url(self) -> str:
        return self.wait_for(r"for signed calls: (http://[^/]+)")[1]

    @property
    def curl(self) -> str:
        return self.wait_for(r"^    (curl .*)$")[1]

    def processes(self) -> list[psutil.Process]:
        """Return the chain's process and all that it started, directly or not."""
        main = psutil.Process(self.process.pid)
        return [main, *main.children(recursive=True)]


@contextmanager
def running(log: Path, *options: str, **environment: str) -> Iterator[Running]:
    """Start a chain and stop it at the end; `environment` is added to the user's."""
    command = [sys.executable, "-m", "local", *(options or ANY_PORTS)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield Running(process, log)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(60)


def left_of(processes: list[psutil.Process], seconds: float = 60) -> list[psutil.Process]:
    """Return those that still run after some seconds."""
    _, left = psutil.wait_procs(processes, seconds)
    return left
