"""What tests/conftest.py promises of a run of the tests, seen in runs of a few of them."""

import os
import re
import subprocess
import sys

from tests.environments import ROOT


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTEST_ADDOPTS": "", **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_each_file_and_each_lane_runs_in_one_worker() -> None:
    files = ["tests/local/test_event.py", "tests/local/test_signature.py"]
    output = run("-v", "-n", "2", "tests/sam", *files, PATH="", REQUIRE_DOCKER="").stdout

    ran = set(re.findall(r"\[(gw\d)\].* PASSED (tests/local/\w+\.py)", output))
    assert sorted(file for _, file in ran) == files
    assert len(set(re.findall(r"\[(gw\d)\].* SKIPPED tests/sam", output))) == 1


def test_without_docker_a_lane_is_skipped_and_says_why() -> None:
    result = run("tests/sam/test_start_api.py", PATH="", REQUIRE_DOCKER="")

    assert result.returncode == 0
    assert "no Docker engine with BuildKit: no docker on PATH" in result.stdout


def test_with_docker_required_a_skip_is_a_failure() -> None:
    result = run("tests/sam/test_start_api.py", PATH="", REQUIRE_DOCKER="1")

    assert result.returncode == 1
    assert "skipped, which REQUIRE_DOCKER=1 does not allow" in result.stdout
