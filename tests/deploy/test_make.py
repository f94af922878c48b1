"""The commands of the README against the local AWS: deploy, ask, deploy a change, delete."""

import os
import subprocess
from pathlib import Path

import pytest

from tests import environments, sam_cli
from tests.deploy.cloud import Api, Cloud

ROOT = Path(__file__).parents[2]
STACK = "sagemaker-api"
BUILT = {".aws-sam", ".git"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, with a place of its own for what is built."""
    environments.make("sam")
    # Copied, since SAM takes what is behind a link for the place to build in.
    folder = sam_cli.copy_deployed(tmp_path_factory.mktemp("make"))
    for path in ROOT.iterdir():
        if path.name not in {*BUILT, *sam_cli.DEPLOYED}:
            (folder / path.name).symlink_to(path)
    return folder


def make(cloud: Cloud, folder: Path, *arguments: str) -> str:
    """What `make` prints, both of its streams."""
    environ = {**cloud.sam.environment(), "HOME": os.environ["HOME"]}
    # Below another make, this one would say which folder it enters.
    command = ["make", "--no-print-directory", *arguments]
    result = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=300)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


@pytest.fixture(scope="module")
def api(cloud: Cloud, folder: Path) -> Api:
    make(cloud, folder, "deploy", "PARAMETERS=EndpointName=iris LogLevel=DEBUG")
    outputs = cloud.outputs(STACK)
    return Api(f"{cloud.url}/_aws/execute-api/{outputs['ApiId']}/{outputs['StageName']}", cloud.key(outputs))


def test_smoke_passes_against_what_was_deployed(cloud: Cloud, folder: Path, api: Api) -> None:
    printed = make(cloud, folder, "smoke", f"URL={api.url}", f"KEY={api.key}")

    assert "closed without credentials (403)" in printed
    assert printed.rstrip().endswith("4 ok")


def test_smoke_names_a_wrong_key(cloud: Cloud, folder: Path, api: Api) -> None:
    with pytest.raises(AssertionError, match="golden request 0: expected 200, got 403"):
        make(cloud, folder, "smoke", f"URL={api.url}", "KEY=0123456789012345678901234567890123456789")


@pytest.mark.usefixtures("api")
def test_preflight_knows_the_stack(cloud: Cloud, folder: Path) -> None:
    printed = make(cloud, folder, "preflight", "PARAMETERS=EndpointName=iris")

    assert f"stack: {STACK} exists (CREATE_COMPLETE) and will be updated" in printed


def test_delete_says_what_it_keeps(cloud: Cloud, folder: Path, api: Api) -> None:
    printed = make(cloud, folder, "delete", "YES=1")

    assert "Kept, and paid by size: the image in ECR" in printed
    assert api.predict({"data": [[1, 2]]}).status_code in {403, 404}
