"""`model-api` against the local AWS: two environments of a model side by side, from first to last.

Where the workflow that deploys a model has a step for it, the step's own shell line is what runs.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.cloud import Cloud
from tests.deploy.test_make import ROOT, folder  # noqa: F401  # the project's copy, a fixture
from tests.environments import GOLDEN

WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "deploy-model.yml").read_text())
PYTHON = ROOT / ".venv/bin/python"
SETTINGS = """
name = "petals"

[dev]
parameters = {Hosting = "existing", EndpointName = "iris", LogRetentionDays = 7}
tags = {team = "risk"}

[prod]
parameters = {Hosting = "existing", EndpointName = "flowers"}
"""
BODY = json.dumps({"data": [[1, 2], [3, 4]]})


@pytest.fixture(scope="module")
def model(iris_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model's folder, with golden requests and the settings of two environments."""
    copy = tmp_path_factory.mktemp("models") / "Petal Width"
    shutil.copytree(iris_model, copy)
    shutil.copy(GOLDEN, copy / "golden.json")
    (copy / "deployment.toml").write_text(SETTINGS)
    return copy


class Program:
    """The program, started from the project's copy."""

    def __init__(self, cloud: Cloud, project: Path, model: Path) -> None:
        self.cloud, self.project, self.model = cloud, project, model

    def run(self, command: str, *arguments: str, code: int = 0, stdin: str = "", env: str = "dev") -> tuple[str, str]:
        """What it prints on stdout and stderr, where it ends with this code."""
        of_model = () if command == "list" else (str(self.model), "--env", env)
        return self._run([str(PYTHON), "-m", "cli", command, *of_model, *arguments], code, stdin)

    def step(self, job: str, name: str, temporary: Path) -> tuple[str, str]:
        """Run a step of the workflow as GitHub does."""
        (script,) = (step["run"] for step in WORKFLOW["jobs"][job]["steps"] if step.get("name") == name)
        # the program of the copy, since model-api itself is the project's own
        script = script.replace(".venv/bin/model-api", f"{PYTHON} -m cli")
        variables = {"FOLDER": str(self.model), "ENVIRONMENT": "dev", "RUNNER_TEMP": str(temporary)}
        return self._run(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script], 0, "", **variables)

    def _run(self, words: Sequence[str], code: int, stdin: str, **variables: str) -> tuple[str, str]:
        environ = {**self.cloud.sam.environment(), "HOME": os.environ["HOME"], "PYTHONPATH": str(self.project)}
        ended = subprocess.run(
            words,
            cwd=self.project,
            env=environ | variables,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert ended.returncode == code, ended.stdout + ended.stderr
        return ended.stdout, ended.stderr

    def json(self, command: str, *arguments: str, env: str = "dev") -> Any:
        return json.loads(self.run(command, "--json", *arguments, env=env)[0])

    def parameters(self, stack: str) -> Mapping[str, str]:
        described = self.cloud.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        return {item["ParameterKey"]: item["ParameterValue"] for item in described["Parameters"]}


@pytest.fixture(scope="module")
def program(cloud: Cloud, folder: Path, model: Path) -> Program:  # noqa: F811  # the fixture of test_make
    return Program(cloud, folder, model)


def test_nothing_is_deployed_without_an_answer(program: Program) -> None:
    _, said = program.run("deploy", code=2)

    assert said.splitlines()[-1].startswith("error: there was no answer to the question; give --yes")


def test_a_pull_request_sees_what_would_change_and_changes_nothing(program: Program, tmp_path: Path) -> None:
    printed, _ = program.step("plan", "plan", tmp_path)

    assert "petals-dev will be created:" in printed
    assert "  added             AWS::Lambda::Function Function" in printed
    assert (tmp_path / "plan.txt").read_text() == printed
    stacks = program.cloud.client("cloudformation").describe_stacks()["Stacks"]
    assert "petals-dev" not in [stack["StackName"] for stack in stacks if stack["StackStatus"] != "DELETE_COMPLETE"]


def test_one_command_deploys_and_prints_url_and_key(program: Program, tmp_path: Path) -> None:
    printed, said = program.step("deploy", "deploy", tmp_path)

    assert "petals-dev will be created:" in said
    assert "  added             AWS::Lambda::Function Function" in said
    assert "closed without credentials" in said
    assert "petals-dev is at release 1" in said
    assert printed.startswith("URL  http")
    assert "/dev\n" in printed
    assert program.parameters("petals-dev")["LogRetentionDays"] == "7"


def test_predict(program: Program) -> None:
    printed, _ = program.run("predict", stdin=BODY)

    assert len(json.loads(printed)["predictions"]) == 2


def test_a_wrong_golden_answer_is_a_failed_deployment(program: Program) -> None:
    golden = json.loads(GOLDEN.read_text())
    golden[0]["answer"]["predictions"][0] = "tulip"
    (program.model / "golden.json").write_text(json.dumps(golden))
    # A star and a question mark mean nothing on the way; the other parameter is taken back.
    (program.model / "deployment.toml").write_text(SETTINGS.replace("LogRetentionDays = 7", 'CorsOrigin = "*"'))

    _, said = program.run("deploy", "--yes", code=1)

    parameters = program.parameters("petals-dev")
    assert (parameters["CorsOrigin"], parameters["LogRetentionDays"]) == ("*", "30")
    assert "`model-api rollback` goes back to the release before" in said.splitlines()[-1]
    assert program.json("versions")[0]["golden"] == "1 failed"


def test_rollback_goes_to_the_release_before(program: Program, tmp_path: Path) -> None:
    _, said = program.step("deploy", "roll back", tmp_path)

    assert "back to release " in said
    parameters = program.parameters("petals-dev")
    assert (parameters["CorsOrigin"], parameters["LogRetentionDays"]) == ("", "7")
    assert "ok" in program.json("versions")[0]["golden"]
    _, again = program.step("deploy", "roll back", tmp_path)
    assert again.splitlines()[-1] == "the newest release did not fail: nothing to go back from"


def test_status_and_logs(program: Program) -> None:
    found = program.json("status")
    logs, _ = program.run("logs", "--minutes", "60")

    assert found["state"].endswith("_COMPLETE")
    assert found["endpoint"].startswith("iris: ")
    assert (found["release"].split(",")[0], len(found["model"])) == ("3", 16)
    assert "function" in logs


def test_delete_says_what_happened(program: Program) -> None:
    _, refused = program.run("delete", code=2)
    listed = program.json("list")
    printed, _ = program.run("delete", "--yes")
    _, again = program.run("delete", "--yes", code=1)

    assert "give --yes" in refused
    assert [item["environment"] for item in listed if item["model"] == "petals"] == ["dev"]
    assert printed.startswith("petals-dev is deleted: ")
    assert again.startswith("there is no stack petals-dev in ")
