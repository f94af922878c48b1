"""Preflight as a whole, without an account."""

from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError

from deployment.account import Account
from deployment.findings import Level, error
from deployment.parameters import Stack, choose_stack, read_template
from deployment.preflight import Preflight, check
from deployment.settings import GOLDEN
from tests.environments import GOLDEN as GOLDEN_REQUESTS

TEMPLATE = read_template()
DEFAULTS = {name: str(item.get("Default", "")) for name, item in TEMPLATE["Parameters"].items()}
IMAGE = f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/iris@sha256:{'0' * 64}"
EXISTING = {"EndpointName": "iris"}
REALTIME = {"Hosting": "realtime", "ImageUri": IMAGE}


@dataclass(frozen=True, slots=True)
class NoCredentials:
    """The session of a machine without an account."""

    region_name: str = "us-east-1"

    def client(self, service_name: Any) -> Any:
        raise NoCredentialsError(service=service_name)


def errors(parameters: dict[str, str], *, name: str = "stack", artifact: Path | None = None) -> list[str]:
    settings = Preflight("", None, artifact, GOLDEN)
    findings = check(settings, Stack(name, TEMPLATE, DEFAULTS | parameters), Account(NoCredentials()))
    before_docker = takewhile(lambda finding: finding.subject != "image", findings)
    return [finding.text for finding in before_docker if finding.level is Level.ERROR]


def test_an_existing_endpoint_needs_neither_docker_nor_an_account() -> None:
    assert errors({"EndpointName": "iris"}) == []


def test_what_the_template_refuses_ends_it() -> None:
    assert errors({"Hosting": "realtime"}, name="s" * 64) == [
        "Hosting=realtime and Hosting=serverless need ImageUri, the serving container by digest; `make push` prints it."
    ]


@pytest.mark.parametrize(
    ("parameters", "name", "text"),
    [
        (REALTIME | {"MinInstances": "3", "MaxInstances": "2"}, "stack", "MaxInstances=2 is below MinInstances=3"),
        (REALTIME, "s" * 64, f"{'s' * 64} has 64 characters; the endpoint is called like it and may have 63"),
    ],
)
def test_what_no_rule_can_say_is_found(parameters: dict[str, str], name: str, text: str) -> None:
    assert errors(parameters, name=name) == [text]


def test_an_image_that_is_not_there_is_neither_started_nor_pulled(docker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(Path(docker).parent))
    settings = Preflight("test-preflight-of-nobody", None, None, GOLDEN_REQUESTS)

    findings = list(check(settings, Stack("stack", TEMPLATE, DEFAULTS | EXISTING), Account(NoCredentials())))

    advice = "build it with `make image`, or give IMAGE=name:tag"
    assert [finding for finding in findings if finding.level is Level.ERROR] == [
        error("image", "there is no image test-preflight-of-nobody", advice)
    ]
    assert findings[-1].subject == "image"


def test_the_artifact_is_looked_at(tmp_path: Path) -> None:
    assert errors({"EndpointName": "iris"}, artifact=tmp_path / "model.tar.gz") == [
        f"{tmp_path / 'model.tar.gz'} does not exist"
    ]


def test_a_folder_needs_no_image_before_it_is_deployed(tmp_path: Path) -> None:
    (tmp_path / "iris").mkdir()
    settings = Preflight("", None, None, GOLDEN)

    findings = list(check(settings, choose_stack(tmp_path / "iris", "dev", []), Account(NoCredentials())))

    assert findings[0].level is Level.OK
    assert not any("ImageUri" in finding.text for finding in findings)
