"""Preflight starts an image as SageMaker does: the project's own, and images with one fault each."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from deployment.contract import check_contract
from deployment.engine import Docker
from deployment.findings import Finding, Level
from deployment.image import check_image
from deployment.target import Hosting, Target
from golden import requests
from golden.requests import GoldenRequest
from tests import containers
from tests.environments import GOLDEN as GOLDEN_FILE

IMAGES = Path(__file__).parent / "images"
REALTIME = Target(Hosting.REALTIME, "ml.m5.large", 2048)
GOLDEN = GoldenRequest("golden request 0", {"data": [[1.5, 0.2]]}, {"predictions": ["setosa"]})
Check = Callable[..., list[Finding]]


@pytest.fixture
def check(docker: str) -> Check:
    """Build the image with a fault and check it."""

    def build_and_check(fault: str, grace: int = 30, command: str = docker) -> list[Finding]:
        tag = f"test-contract-{fault}"
        arguments = ("--quiet", "--build-arg", f"FAULT={fault}", "--tag", tag)
        containers.run("env", "DOCKER_BUILDKIT=1", docker, "build", *arguments, str(IMAGES))
        return check_contract(Docker(command, grace), tag, None, REALTIME, [GOLDEN])

    return build_and_check


def errors(findings: list[Finding]) -> list[str]:
    assert all(finding.advice for finding in findings if finding.level is not Level.OK)
    return [finding.text for finding in findings if finding.level is not Level.OK]


def test_the_projects_own_image_passes(docker: str, serving_image: str, iris_model: Path) -> None:
    golden = requests.read(GOLDEN_FILE)
    engine = Docker(docker)

    findings = check_image(engine, serving_image, REALTIME)
    findings += check_contract(engine, serving_image, iris_model, REALTIME, golden)

    assert errors(findings) == []
    assert findings[-1].text.startswith("SIGTERM: left with code 0")


def test_serverless_has_the_memory_that_was_asked_for(docker: str, serving_image: str, iris_model: Path) -> None:
    serverless = Target(Hosting.SERVERLESS, "", 2048)

    assert errors(check_contract(Docker(docker), serving_image, iris_model, serverless, [GOLDEN])) == []


def test_another_architecture_is_an_error(docker: str, serving_image: str) -> None:
    graviton = replace(REALTIME, instance_type="ml.c7g.large")

    assert errors(check_image(Docker(docker), serving_image, graviton)) == [
        "it is for linux/amd64, but ml.c7g.large runs linux/arm64"
    ]


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("ends-at-once", "the container ended with code 1: model.pkl: no such file"),
        ("ping-with-body", "/ping answers with a body"),
        ("wrong-answer", 'golden request 0: /predictions/0: expected "setosa", got "wrong"'),
        ("leaves-with-an-error", "SIGTERM: left with code 3"),
    ],
)
def test_each_fault_is_one_finding(check: Check, fault: str, text: str) -> None:
    assert errors(check(fault)) == [text]


def test_a_container_that_ends_before_its_port_is_asked(docker: str, check: Check, tmp_path: Path) -> None:
    slow = tmp_path / "docker"
    slow.write_text(f'#!/bin/sh\n[ "$1" = port ] && {docker} wait "$2" >/dev/null\nexec {docker} "$@"\n')
    slow.chmod(0o755)

    assert errors(check("ends-at-once", command=str(slow))) == [
        "the container ended with code 1: model.pkl: no such file"
    ]


def test_a_server_that_is_deaf_to_sigterm_is_found(check: Check) -> None:
    assert errors(check("deaf", grace=2)) == ["SIGTERM: still there after 2 s, and killed; requests in flight are lost"]


def test_an_image_without_serve_is_found(docker: str) -> None:
    [finding] = check_contract(Docker(docker), "python:3.13-slim", None, REALTIME, [GOLDEN])

    assert "serve" in finding.text
    assert finding.level is Level.ERROR
