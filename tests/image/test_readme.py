"""What the README tells a reader to type about the image, typed: save a model, make the image, run it."""

import os
import re
import shlex
import subprocess
import sys
import time
import uuid

import pytest
import requests

from tests.containers import run
from tests.docs.readme import Block, blocks
from tests.environments import ROOT

NAME = "serving-container"


def only(lane: str) -> Block:
    (block,) = blocks(lane)
    return block


@pytest.fixture(scope="module")
def commands(docker: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The two lines: build and run; with a tag, a model and a port of the test's own."""
    folder = tmp_path_factory.mktemp("readme")
    subprocess.run([sys.executable, "-c", only("save").text], cwd=folder, check=True, timeout=60)
    tag = f"test-readme-{uuid.uuid4().hex[:12]}"
    build, start = only("image").text.strip().splitlines()
    variables = f" IMAGE={tag} CONTEXT={folder}/context DOCKER={docker} DOCKER_BUILD_FLAGS='--network host'"
    start = re.sub(rf"\b{NAME}\b", tag, start).replace("127.0.0.1:8080:8080", "127.0.0.1::8080")
    return build.replace("my-model", f"{folder}/my-model") + variables, start.replace(
        "docker run", f"docker run --name {tag}"
    )


def test_of_the_image(docker: str, commands: tuple[str, str]) -> None:
    build, start = commands
    environment = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
    subprocess.run(shlex.split(build), cwd=ROOT, env=environment, check=True, capture_output=True, timeout=600)
    tag = start.split()[-2]
    container = subprocess.Popen([docker, *shlex.split(start)[1:]])
    try:
        answer = invoked(docker, tag)
    finally:
        run(docker, "stop", tag)

    assert container.wait(30) == 0
    assert answer == {"predictions": [0]}
    run(docker, "image", "rm", tag)


def invoked(docker: str, name: str) -> object:
    """Return the answer to a row of the wine data, of its first class, as soon as the container is ready."""
    row = [14.23, 1.71, 2.43, 15.6, 127, 2.8, 3.06, 0.28, 2.29, 5.64, 1.04, 3.92, 1065]
    deadline = time.monotonic() + 30
    while True:
        try:
            url = f"http://{run(docker, 'port', name, '8080/tcp')}"
            if requests.get(f"{url}/ping", timeout=2).ok:
                return requests.post(f"{url}/invocations", json={"data": [row]}, timeout=10).json()
        except (RuntimeError, requests.RequestException):
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)
