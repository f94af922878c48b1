"""The function built by `sam build`, and an endpoint it reaches: serving image and SageMaker runtime in containers."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests import containers, sam_cli
from tests.sam_cli import SamCli

HERE = Path(__file__).parent
ENDPOINT = "iris"
REGION = sam_cli.CREDENTIALS["AWS_DEFAULT_REGION"]


@pytest.fixture(scope="session")
def local_sam(sam: SamCli) -> SamCli:
    """`sam local` looks up the account first; an address that refuses at once saves ten seconds a command."""
    return replace(sam, settings={"AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"})


@pytest.fixture(scope="session")
def project(sam: SamCli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = sam_cli.copy_deployed(tmp_path_factory.mktemp("sam"))
    sam.run("build", cwd=copy)
    return copy


@pytest.fixture(scope="session")
def network(docker: str) -> Iterator[str]:
    with containers.network(docker) as name:
        yield name


@pytest.fixture(scope="session")
def runtime(docker: str, network: str, serving_image: str, iris_model: Path) -> Iterator[str]:
    """URL, inside the network, of the SageMaker runtime in front of the serving image."""
    image = containers.build(docker, HERE / "Dockerfile", "test-sagemaker-runtime")
    joined = (f"--network={network}", "--publish=127.0.0.1::8080")
    mounted = ("--network-alias=serving", f"--volume={iris_model}:/opt/ml/model:ro")
    with containers.container(docker, serving_image, "serve", options=(*joined, *mounted)) as serving:
        serving.wait_for(f"{serving.url(8080)}/ping")
        arguments = ("--container=http://serving:8080", f"--endpoint={ENDPOINT}", "--host=0.0.0.0", "--port=8080")
        environment = {**sam_cli.CREDENTIALS, "AWS_REGION": REGION}
        with containers.container(
            docker, image, *arguments, options=(*joined, "--network-alias=runtime"), environment=environment
        ) as started:
            started.wait_for(f"{started.url(8080)}/ping")
            yield "http://runtime:8080"


@pytest.fixture(scope="session")
def local_options(network: str, runtime: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """What every `sam local` command is given."""
    variables = {"ENDPOINT_NAME": ENDPOINT, "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": runtime}
    file = tmp_path_factory.mktemp("variables") / "variables.json"
    file.write_text(json.dumps({"Parameters": variables}))
    return ("--docker-network", network, "--skip-pull-image", "--env-vars", str(file))
