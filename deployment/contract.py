"""Checks that an image honours SageMaker's hosting contract, by running it.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from deployment.engine import Docker
from deployment.errors import ContainerError
from deployment.findings import Finding, error, passed, warning
from deployment.target import Hosting, Target
from golden.requests import GoldenRequest

SUBJECT = "contract"
PING_SECONDS = 2.0
INVOCATION_SECONDS = 60.0
KILLED = 137
LOG_LINES = 5


@dataclass(frozen=True, slots=True)
class Running:
    """A started container, which may have ended."""

    docker: Docker
    identity: str

    def url(self) -> str:
        """Where its port 8080 answers; raises ContainerError when it has ended, for then it has no port."""
        return f"http://{self.docker.run('port', self.identity, '8080/tcp').splitlines()[0]}"

    def exit_code(self) -> int | None:
        """The exit code, or None while it runs."""
        state = self.docker.inspect("container", self.identity)["State"]
        return None if state["Running"] else int(state["ExitCode"])

    def last_words(self) -> str:
        """The end of its log."""
        return " | ".join(self.docker.run("logs", "--tail", str(LOG_LINES), self.identity).splitlines()) or "no log"


def check_contract(
    docker: Docker, image: str, model: Path | None, target: Target, golden: Sequence[GoldenRequest]
) -> list[Finding]:
    """Start the image as SageMaker does, ping it, ask it, stop it."""
    options = ["--publish=127.0.0.1::8080"]
    if model:
        options.append(f"--volume={model.resolve()}:/opt/ml/model:ro")
    if target.hosting is Hosting.SERVERLESS:
        options.append(f"--memory={target.memory}m")
    try:
        with docker.container(*options, image, "serve") as identity:
            return list(_check(Running(docker, identity), target, golden))
    except ContainerError as reason:
        return [error(SUBJECT, f"`docker run {image} serve` failed: {reason}", "the image needs an executable `serve`")]


def _check(running: Running, target: Target, golden: Sequence[GoldenRequest]) -> Iterator[Finding]:
    started = time.monotonic()
    ping = _wait_for_ping(running, target.startup_seconds)
    if isinstance(ping, Finding):
        yield ping
        return
    yield passed(SUBJECT, f"/ping answers 200 after {time.monotonic() - started:.1f} s")
    if ping.content:
        yield warning(SUBJECT, "/ping answers with a body", "answer 200 with an empty body")
    yield from _check_answers(ping.url.join("/invocations"), golden)
    yield _check_stop(running)


def _wait_for_ping(running: Running, seconds: int) -> httpx.Response | Finding:
    said = "nothing listens on port 8080"
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if (code := running.exit_code()) is not None:
            return error(
                SUBJECT,
                f"the container ended with code {code}: {running.last_words()}",
                "run it by hand with `docker run --rm -p 127.0.0.1:8080:8080 IMAGE serve` and mend what its log names",
            )
        try:
            response = httpx.get(f"{running.url()}/ping", timeout=PING_SECONDS)
        except (ContainerError, httpx.HTTPError) as reason:
            said = str(reason) or type(reason).__name__
        else:
            if response.status_code == httpx.codes.OK:
                return response
            said = f"/ping answers {response.status_code}"
        time.sleep(0.2)
    return error(
        SUBJECT,
        f"not ready within {seconds} s: {said}; log: {running.last_words()}",
        "listen on 0.0.0.0:8080 and answer GET /ping with 200 once the model is loaded",
    )


def _check_answers(url: httpx.URL, golden: Sequence[GoldenRequest]) -> Iterator[Finding]:
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    for item in golden:
        try:
            response = httpx.post(url, content=item.body(), headers=headers, timeout=INVOCATION_SECONDS)
        except httpx.HTTPError as reason:
            differences = [f"no answer: {str(reason) or type(reason).__name__}"]
        else:
            differences = item.differences(response.status_code, response.content)
        if differences:
            advice = "if the model is meant to answer so, write golden.json again with `make golden`"
            yield error(SUBJECT, f"{item.name}: {'; '.join(differences[:3])}", advice)
        else:
            yield passed(SUBJECT, f"{item.name}: the expected answer")


def _check_stop(running: Running) -> Finding:
    started = time.monotonic()
    running.docker.run("stop", "--time", str(running.docker.grace), running.identity)
    seconds = time.monotonic() - started
    code = running.exit_code()
    if code == 0:
        return passed(SUBJECT, f"SIGTERM: left with code 0 after {seconds:.1f} s")
    if code == KILLED:
        text = f"SIGTERM: still there after {running.docker.grace} s, and killed; requests in flight are lost"
        return error(SUBJECT, text, "handle SIGTERM, and start the server in the exec form so that the signal arrives")
    return error(SUBJECT, f"SIGTERM: left with code {code}", "finish what is in flight and leave with code 0")
