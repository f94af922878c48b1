"""deployment.toml: each environment's parameters, and names that AWS takes."""

from pathlib import Path

import pytest

from deployment.deployment_file import read_deployment
from deployment.errors import NameRefusedError, UnreadableError
from deployment.names import model_name, proposal, stack_name
from deployment.parameters import choose_stack, read_template

KNOWN = read_template()["Parameters"]
SETTINGS = """
name = "churn"
[dev]
parameters = {MaxRows = 5, DocsEnabled = true, CorsOrigin = "*", ErrorShare = 0.1}
[prod]
region = "eu-west-1"
tags = {team = "risk"}
keep_versions = 3
parameters = {Hosting = "realtime"}
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "Churn Model"
    folder.mkdir()
    (folder / "deployment.toml").write_text(SETTINGS)
    return folder


def test_names_follow_from_the_model_and_the_environment(model: Path) -> None:
    deployment = read_deployment(model, "prod", KNOWN)

    assert (deployment.stack, deployment.repository) == ("churn-prod", "model-api/churn")
    assert deployment.tags == {"model-api:model": "churn", "model-api:environment": "prod", "team": "risk"}
    assert deployment.section.keep_versions == 3


def test_values_become_what_cloudformation_takes(model: Path) -> None:
    stack = choose_stack(model, "dev", ["LogLevel=DEBUG"])

    chosen = {name: stack.parameters[name] for name in ("MaxRows", "DocsEnabled", "CorsOrigin", "ErrorShare")}
    assert chosen == {"MaxRows": "5", "DocsEnabled": "true", "CorsOrigin": "*", "ErrorShare": "0.1"}
    assert (stack.parameters["LogLevel"], stack.parameters["Hosting"]) == ("DEBUG", "serverless")
    assert stack.parameters.keys() == KNOWN.keys()


def test_the_urls_stage_is_called_like_the_environment(model: Path) -> None:
    assert {env: choose_stack(model, env, []).parameters["StageName"] for env in ("dev", "prod")} == {
        "dev": "dev",
        "prod": "prod",
    }


def test_a_folder_without_the_file_is_deployed_as_well(tmp_path: Path) -> None:
    (tmp_path / "iris").mkdir()

    stack = choose_stack(tmp_path / "iris", None, [])

    assert (stack.name, stack.parameters["Hosting"], stack.confirm) == ("iris-dev", "serverless", True)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[dev\n", "cannot be read"),
        ("[dev]\nregions = 'x'\n", "dev.regions: Extra inputs are not permitted"),
        ("[dev]\nparameters = {Hostings = 'realtime'}\n", r"\[dev\] parameters: template.yaml has no Hostings"),
        ("[dev]\nkeep_versions = 1\n", "dev.keep_versions: Input should be greater than or equal to 2"),
        ("owner = 'me'\n", "owner: Extra inputs are not permitted"),
        ("[prod]\n", "has no environment dev; it has prod"),
        ("[dev]\nparameters = {MaxRows = [1]}\n", "dev.parameters.MaxRows: Input should be a valid string"),
    ],
)
def test_a_fault_is_named_with_file_and_place(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "iris").mkdir()
    (tmp_path / "iris" / "deployment.toml").write_text(text)

    with pytest.raises(UnreadableError, match=sentence):
        read_deployment(tmp_path / "iris", "dev", KNOWN)


@pytest.mark.parametrize(
    ("name", "proposed"),
    [
        ("My Model", "my-model"),
        ("größe", "groe"),
        ("2nd", "model-2nd"),
        ("a_b", "a-b"),
        ("x" * 50, "x" * 40),
        ("-", "model"),
        ("模型", "model"),
    ],
)
def test_a_name_that_aws_refuses_is_refused_with_a_proposal(name: str, proposed: str) -> None:
    with pytest.raises(NameRefusedError, match=f'name = "{proposed}"'):
        model_name(name)
    assert model_name(proposal(name)) == proposed


def test_an_environment_that_aws_refuses() -> None:
    with pytest.raises(NameRefusedError, match="call it 'my-team'"):
        stack_name("iris", "My Team")
