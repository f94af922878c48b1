"""Parameters: the template's defaults, then samconfig.toml, then the command line."""

from pathlib import Path

import pytest

from deployment.errors import UnreadableError
from deployment.findings import Level
from deployment.parameters import read_parameters, read_stack, read_template
from deployment.rules import check_rules

SAMCONFIG = """
version = 0.1
[dev.global.parameters]
stack_name = "dev"
[dev.deploy.parameters]
parameter_overrides = ["Hosting=serverless", "LogLevel=DEBUG"]
[old.deploy.parameters]
parameter_overrides = "Hosting=serverless LogLevel=\\"INFO\\""
"""
IMAGE = f"ImageUri=123456789012.dkr.ecr.eu-west-1.amazonaws.com/iris@sha256:{'0' * 64}"


@pytest.fixture
def samconfig(tmp_path: Path) -> Path:
    path = tmp_path / "samconfig.toml"
    path.write_text(SAMCONFIG)
    return path


def test_the_command_line_goes_before_samconfig_before_the_template(samconfig: Path) -> None:
    parameters = read_parameters(read_template(), "dev", ["LogLevel=ERROR"], samconfig)

    assert (parameters["Hosting"], parameters["LogLevel"], parameters["StageName"]) == ("serverless", "ERROR", "prod")


def test_overrides_may_be_one_text(samconfig: Path) -> None:
    parameters = read_parameters(read_template(), "old", [], samconfig)

    assert (parameters["Hosting"], parameters["LogLevel"]) == ("serverless", "INFO")


@pytest.mark.parametrize(
    ("environment", "overrides", "sentence"),
    [
        ("test", [], "samconfig.toml has no environment test; it has dev, old"),
        ("dev", ["Hostings=realtime"], "template.yaml has no parameter Hostings"),
        ("dev", ["realtime"], "expected Name=value, not realtime"),
    ],
)
def test_what_cannot_be_read_is_named(samconfig: Path, environment: str, overrides: list[str], sentence: str) -> None:
    with pytest.raises(UnreadableError, match=sentence):
        read_parameters(read_template(), environment, overrides, samconfig)


@pytest.mark.parametrize(
    ("environment", "override"),
    [("default", "EndpointName=iris"), ("dev", IMAGE), ("staging", IMAGE), ("prod", IMAGE)],
)
def test_each_environment_of_the_project_passes_the_rules(environment: str, override: str) -> None:
    stack = read_stack(environment, [override])

    assert {finding.level for finding in check_rules(stack.template, stack.parameters)} == {Level.OK}


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_the_url_of_each_environment_ends_in_its_name(environment: str) -> None:
    assert read_stack(environment, []).parameters["StageName"] == environment
