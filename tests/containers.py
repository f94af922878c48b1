"""Docker images, networks and containers for tests; what a test started ends with it."""

import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from deployment.build import pinned_base
from deployment.engine import Docker
from tests import environments
from tests.environments import ROOT


def run(*command: str, timeout: float = 600) -> str:
    """What a command prints; its error output is in the exception where it fails."""
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout, cwd=ROOT)
    if result.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{result.stdout}\n{result.stderr}")
    return result.stdout.strip()


def build(docker: str, dockerfile: Path, tag: str, context: Path = ROOT, options: tuple[str, ...] = ()) -> str:
    """Build an image; Docker's cache makes it anew only when its parts have changed."""
    # --network host: some machines reach the package index only from the host's network
    named = ("--file", str(dockerfile), "--tag", tag)
    command = ("build", "--quiet", "--network", "host", *options, *named, str(context))
    with environments.lock(tag):
        run("env", "DOCKER_BUILDKIT=1", docker, *command)
    return tag


def base(docker: str) -> tuple[str, ...]:
    """Options that take this machine's own base image, where it lacks the Dockerfile's and reaches no registry."""
    chosen = pinned_base(Docker(docker), print)
    return ("--build-arg", f"BASE={chosen}")


@contextmanager
def network(docker: str) -> Iterator[str]:
    name = f"test-{uuid.uuid4().hex[:12]}"
    run(docker, "network", "create", name)
    try:
        yield name
    finally:
        run(docker, "network", "rm", name)


@dataclass(frozen=True, slots=True)
class Container:
    docker: str
    id: str

    def url(self, port: int) -> str:
        """Where a published port answers on this machine."""
        return f"http://{run(self.docker, 'port', self.id, f'{port}/tcp')}"

    def logs(self) -> str:
        result = subprocess.run([self.docker, "logs", self.id], capture_output=True, text=True, check=True, timeout=30)
        return result.stdout + result.stderr

    def wait_for(self, url: str, seconds: float = 120) -> None:
        """Wait until the URL answers with 200."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if requests.get(url, timeout=2).ok:
                    return
            except requests.RequestException:
                pass
            time.sleep(0.1)
        raise TimeoutError(f"{url} did not answer in {seconds} s\n{self.logs()}")


@contextmanager
def container(
    docker: str,
    image: str,
    *command: str,
    options: tuple[str, ...] = (),
    environment: Mapping[str, str] | None = None,
) -> Iterator[Container]:
    """A running container; `options` are those of `docker run`."""
    variables = [f"--env={name}={value}" for name, value in (environment or {}).items()]
    started = Container(docker, run(docker, "run", "--detach", *options, *variables, image, *command))
    try:
        yield started
    finally:
        run(docker, "rm", "--force", "--volumes", started.id)
