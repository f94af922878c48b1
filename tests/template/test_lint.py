"""The linters find nothing that is not answered beside it, in the template or in what SAM makes of it."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests import environments, sam_cli
from tests.sam_cli import SamCli

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "template.yaml"
TRANSLATE = Path(__file__).with_name("translate.py")
CHECKOV = ("--framework", "cloudformation", "--compact", "--quiet", "--skip-download")
# Parameters that bring in what the defaults leave out.
CHOICES: Mapping[str, tuple[str, ...]] = {
    "defaults": ("EndpointName=iris",),
    "canary": ("EndpointName=iris", "Canary=true"),
}


@pytest.fixture(scope="session")
def linters() -> Path:
    return environments.make("lint")


@pytest.fixture(scope="session")
def translated(linters: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with what SAM makes of each choice."""
    directory = tmp_path_factory.mktemp("translated")
    for name, parameters in CHOICES.items():
        (directory / f"{name}.json").write_text(run(linters / "python", TRANSLATE, TEMPLATE, *parameters))
    return directory


def run(*command: Path | str) -> str:
    environ = {**os.environ, **sam_cli.CREDENTIALS, "LOG_LEVEL": "ERROR"}
    result = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=300)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_cfn_lint(linters: Path) -> None:
    run(linters / "cfn-lint", "--template", TEMPLATE)


def test_cfn_lint_of_what_sam_makes(linters: Path, translated: Path) -> None:
    # W1001, W1030, W1033: answered in the template's Metadata, which SAM drops. W2001: SAM puts values in the place of
    # some parameters. W3005: SAM says DependsOn where Ref says it too.
    ignored = ("W1001", "W1030", "W1033", "W2001", "W3005")
    run(linters / "cfn-lint", "--ignore-checks", *ignored, "--template", *translated.iterdir())


def test_checkov(linters: Path) -> None:
    run(linters / "checkov", "--file", TEMPLATE, *CHECKOV)


def test_checkov_of_what_sam_makes(linters: Path, translated: Path) -> None:
    # CKV_AWS_120, a cache: answered at the API in the template; SAM makes the stage without its metadata.
    run(linters / "checkov", "--directory", translated, "--skip-check", "CKV_AWS_120", *CHECKOV)


def test_sam_validate(sam: SamCli) -> None:
    sam.run("validate", "--lint", cwd=ROOT)
