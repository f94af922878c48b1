"""The Docker command line, as far as preflight and push need it."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from deployment.errors import ContainerError, MissingToolError

INSTALL = "install it from https://docs.docker.com/get-started/get-docker/"


@dataclass(frozen=True, slots=True)
class Docker:
    """`command` is the docker program; `grace` are the seconds between SIGTERM and SIGKILL, SageMaker's."""

    command: str
    grace: int = 30

    def run(self, *arguments: str, seconds: float = 600, stdin: str | None = None) -> str:
        """Return what a command prints on stdout and stderr; raises ContainerError."""
        result = subprocess.run(  # noqa: S603  # the words are ours or the user's own image name, and no shell reads them
            [self.command, *arguments],
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=seconds,
        )
        if result.returncode:
            raise ContainerError(result.stdout.strip() or f"docker {arguments[0]} ended with code {result.returncode}")
        return result.stdout.strip()

    def show(self, *arguments: str) -> None:
        """Run a long command and let the user watch it, on stderr; raises ContainerError."""
        result = subprocess.run([self.command, *arguments], stdout=sys.stderr, check=False)  # noqa: S603  # as above
        if result.returncode:
            raise ContainerError(f"docker {arguments[0]} ended with code {result.returncode}; see its message above")

    def inspect(self, kind: str, name: str) -> dict[str, Any]:
        """Return what Docker knows about an image or a container."""
        found: list[dict[str, Any]] = json.loads(self.run(kind, "inspect", name))
        return found[0]

    def has(self, image: str) -> bool:
        """Whether this machine has an image."""
        try:
            self.run("image", "inspect", image)
        except ContainerError:
            return False
        return True

    def platform(self) -> str:
        """Return what the engine builds for by itself, such as linux/arm64."""
        return self.run("version", "--format", "{{.Server.Os}}/{{.Server.Arch}}")

    def has_buildx(self) -> bool:
        """Whether `docker build` is BuildKit's."""
        try:
            self.run("buildx", "version")
        except ContainerError:
            return False
        return True

    @contextmanager
    def container(self, *arguments: str) -> Iterator[str]:
        """Start a container, and remove it at the end."""
        identity = self.run("run", "--detach", *arguments).rpartition("\n")[2]
        if not identity:
            raise ContainerError(f"`{self.command} run --detach` named no container")
        try:
            yield identity
        finally:
            self.run("rm", "--force", "--volumes", identity)


def find_docker(command: str = "docker") -> Docker:
    """Return the docker program, whose engine answers; raises MissingToolError."""
    path = shutil.which(command)
    if path is None:
        raise MissingToolError(f"there is no {command} on PATH: {INSTALL}")
    docker = Docker(path)
    try:
        docker.run("version", "--format", "{{.Server.Version}}", seconds=30)
    except (ContainerError, subprocess.TimeoutExpired) as error:
        said = " ".join(str(error).split())
        raise MissingToolError(f"the Docker engine does not answer, start it: {said}") from None
    return docker
