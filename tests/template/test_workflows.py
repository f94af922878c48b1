"""The workflows and the role that they take on: what GitHub, the linters and AWS's rules say of them."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from deployment.settings import ROOT
from tests import environments
from tests.template import modes

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ROLE = ROOT / "deployment" / "github-role.yaml"


@pytest.fixture(scope="module")
def linters() -> Path:
    return environments.make("lint")


def test_they_are_what_github_reads(linters: Path) -> None:
    modes.run(linters / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)


def test_they_are_safe(linters: Path) -> None:
    modes.run(linters / "zizmor", "--offline", "--quiet", *WORKFLOWS)


def test_the_role_is_safe(linters: Path) -> None:
    modes.run(linters / "cfn-lint", "--template", ROLE)
    modes.run(
        linters / "checkov", "--file", ROLE, "--framework", "cloudformation", "--compact", "--quiet", "--skip-download"
    )


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_no_value_is_read_as_a_program(path: Path) -> None:
    """What a caller gives reaches a shell as a variable only."""
    jobs: dict[str, Any] = yaml.safe_load(path.read_text())["jobs"]

    assert [step["run"] for job in jobs.values() for step in job["steps"] if "${{" in step.get("run", "")] == []
