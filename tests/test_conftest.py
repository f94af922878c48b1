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


def test_each_file_runs_in_one_worker() -> None:
    output = run("-v", "-n", "2", "tests/local/test_event.py", "tests/local/test_signature.py").stdout

    ran = set(re.findall(r"\[(gw\d)\].* PASSED (tests/local/\w+\.py)", output))
    assert sorted(file for _, file in ran) == ["tests/local/test_event.py", "tests/local/test_signature.py"]
    assert len({worker for worker, _ in ran}) == 2


def test_a_lane_runs_in_one_worker() -> None:
    output = run("-v", "-n", "2", "tests/sam", PATH="", REQUIRE_DOCKER="").stdout

    assert len(set(re.findall(r"\[(gw\d)\].* SKIPPED tests/sam", output))) == 1


def test_without_docker_a_lane_is_skipped_and_says_why() -> None:
    result = run("tests/sam/test_start_api.py", PATH="", REQUIRE_DOCKER="")

    assert result.returncode == 0
    assert "no Docker engine with BuildKit: no docker on PATH" in result.stdout


def test_with_docker_required_a_skip_is_a_failure() -> None:
    result = run("tests/sam/test_start_api.py", PATH="", REQUIRE_DOCKER="1")

    assert result.returncode == 1
    assert "skipped, which REQUIRE_DOCKER=1 does not allow" in result.stdout
