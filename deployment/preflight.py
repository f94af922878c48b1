"""Everything that can be known before a deployment: artifact, image, contract, account."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deployment import parameter_rules
from deployment.account import Account
from deployment.artifact import check_artifact
from deployment.contract import check_contract
from deployment.engine import find_docker
from deployment.errors import ImageMissingError, MissingToolError
from deployment.findings import Finding, Level, error, skipped
from deployment.image import check_image
from deployment.parameters import Stack
from deployment.rules import check_rules
from deployment.target import Hosting, Target
from golden import requests
from golden.requests import GoldenFileError, GoldenRequest


@dataclass(frozen=True, slots=True)
class Preflight:
    """What lies on this machine: `image` by name, `model` a folder, `artifact` a model.tar.gz; empty is not checked."""

    image: str
    model: Path | None
    artifact: Path | None
    golden: Path
    docker: str = "docker"


IMAGE = "serving-container"  # what `make image` calls it
SOME_IMAGE = f"000000000000.dkr.ecr.us-east-1.amazonaws.com/model@sha256:{'0' * 64}"


def read_target(parameters: Mapping[str, str]) -> Target:
    """Return where the parameters say that the model runs."""
    memory = int(parameters["ServerlessMemory"])
    return Target(Hosting(parameters["Hosting"]), parameters["InstanceType"], memory)


def check(settings: Preflight, stack: Stack, account: Account) -> Iterator[Finding]:
    """Yield every finding, what is quick first; parameters that the template refuses end it."""
    refused = check_rules(stack.template, _as_deployed(stack))
    yield from refused
    if any(finding.level is Level.ERROR for finding in refused):
        return
    if settings.artifact:
        yield from check_artifact(settings.artifact)
    yield from check_parameters(stack, account)
    named = f"model-api-{stack.deployment.name}" if stack.deployment else IMAGE
    yield from _check_image(settings, read_target(stack.parameters), named)


def _as_deployed(stack: Stack) -> Mapping[str, str]:
    """Return the parameters with an image: of a model's folder, `deploy` builds it and gives its name by itself."""
    builds = stack.deployment and stack.parameters["Hosting"] != Hosting.EXISTING.value
    if not builds or stack.parameters["ImageUri"]:
        return stack.parameters
    return {**stack.parameters, "ImageUri": SOME_IMAGE}


def check_parameters(stack: Stack, account: Account) -> Iterator[Finding]:
    """Yield what the parameters and the account say."""
    target = read_target(stack.parameters)
    yield from parameter_rules.check(stack, target)
    yield from account.check(stack.name, target, stack.parameters)


def _check_image(settings: Preflight, target: Target, named: str) -> Iterator[Finding]:
    if not settings.image and target.hosting is Hosting.EXISTING:
        yield skipped(
            "image", "the endpoint is there already", "give IMAGE=name:tag to have an image started and asked"
        )
        return
    image = settings.image or named
    try:
        docker = find_docker(settings.docker)
    except MissingToolError as reason:
        yield skipped("image", str(reason), "with Docker the image is started and asked")
        return
    if settings.model and not settings.model.is_dir():
        yield error("image", f"MODEL={settings.model} is not a directory", "give the one that the model lies in")
        return
    golden: Sequence[GoldenRequest] = ()
    try:
        golden = requests.read(settings.golden)
    except GoldenFileError as reason:
        yield error("golden requests", str(reason), "write it with `make golden URL=...`")
    try:
        yield from check_image(docker, image, target, settings.model.name if settings.model else "")
    except ImageMissingError as reason:
        yield error("image", str(reason), "build it with `make image`, or give IMAGE=name:tag")
        return
    yield from check_contract(docker, image, settings.model, target, golden)
