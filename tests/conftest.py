"""What every part's tests share: which Docker to use, where the API is, and which tests run side by side.

`pytest` runs everything, but skips the lanes of real tools where there is no Docker. With `REQUIRE_DOCKER=1` a skipped
test counts as failed. `pytest -n 2` runs the lanes side by side.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests import containers, environments, sam_cli
from tests.environments import ROOT

# A lane is a folder whose tests share costly fixtures and run in one worker; the slowest stands first.
LANES = ("deploy", "sam", "template", "image", "chain")
REQUIRE_DOCKER = os.environ.get("REQUIRE_DOCKER") == "1"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("api", "tests that speak HTTP to the API")
    group.addoption("--api-url", help="base URL of a running API; without it the tests start one of their own")
    group.addoption("--api-key", help="API key sent as x-api-key to --api-url")


def lane_of(path: Path) -> str | None:
    folder = path.relative_to(ROOT / "tests").parts[0]
    return folder if folder in LANES else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the slow lanes first."""
    items.sort(key=lambda item: LANES.index(lane) if (lane := lane_of(item.path)) else len(LANES))


class LaneScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist is untyped
    """One worker for a lane, and for a file of another folder.

    `--dist loadgroup` would do, but xdist 3.8 writes a test's group where pytest 9.2 does not read it.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return lane_of(ROOT / file) or file


def pytest_xdist_auto_num_workers() -> int:
    """Two a core: half of the time a test waits for a process that it has started."""
    return 2 * (os.cpu_count() or 1)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LaneScheduling:
    return LaneScheduling(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    refuse_skip(report)
    return report


def refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """With REQUIRE_DOCKER=1 nothing may be skipped, whatever the reason."""
    if REQUIRE_DOCKER and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped, which REQUIRE_DOCKER=1 does not allow: {reason}"


def cannot_build(docker: str) -> str:
    """Why this docker CLI cannot build images with BuildKit; empty when it can."""
    env = {**os.environ, "DOCKER_BUILDKIT": "1"}
    command = [docker, "build", "--quiet", "--output", "type=tar,dest=/dev/null", "-"]
    result = subprocess.run(
        command, input="FROM scratch\nLABEL probe=1\n", capture_output=True, text=True, env=env, check=False, timeout=60
    )
    return result.stderr.strip().partition("\n")[0] if result.returncode else ""


@pytest.fixture(scope="session")
def docker() -> str:
    """Path of the first docker CLI on PATH whose engine answers and builds with BuildKit."""
    refusals = []
    for folder in dict.fromkeys(os.environ.get("PATH", "").split(os.pathsep)):
        if cli := shutil.which("docker", path=folder):
            if not (refusal := cannot_build(cli)):
                return cli
            refusals.append(f"{cli}: {refusal}")
    pytest.skip("no Docker engine with BuildKit: " + ("; ".join(refusals) or "no docker on PATH"))


@pytest.fixture(scope="session")
def serving_image(docker: str) -> str:
    """Tag of the serving image, without a model in it."""
    context = ROOT / "serving-container"
    return containers.build(docker, context / "Dockerfile", "test-serving", context, containers.base(docker))


@pytest.fixture(scope="session")
def iris_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of the example model, trained now."""
    directory = tmp_path_factory.mktemp("iris")
    program = ROOT / "serving-container" / "example" / "train.py"
    containers.run(sys.executable, str(program), "iris", "--output", str(directory))
    directory.chmod(0o755)  # the image's user may be another
    return directory


@pytest.fixture(scope="session")
def sam(docker: str) -> sam_cli.SamCli:  # noqa: ARG001  # where there is no Docker, nothing is installed
    environments.make("sam")
    return sam_cli.SamCli({})
