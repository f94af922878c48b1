"""The local AWS, with the serving image behind its SageMaker."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests import containers, sam_cli
from tests.deploy.cloud import BUCKET, Cloud
from tests.sam_cli import SamCli

EMULATOR = Path(__file__).parent / "emulator" / "Dockerfile"


@pytest.fixture(scope="session")
def project(sam: SamCli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `sam build` made of the template and its folders; stacks are deployed from it, or from a changed copy."""
    copy = sam_cli.copy_deployed(tmp_path_factory.mktemp("project"))
    sam.run("build", cwd=copy)
    return copy


@pytest.fixture(scope="session")
def cloud(docker: str, serving_image: str, iris_model: Path, sam: SamCli) -> Iterator[Cloud]:
    image = containers.build(docker, EMULATOR, "test-local-aws")
    with containers.network(docker) as network:
        joined = (f"--network={network}", "--network-alias=serving", "--publish=127.0.0.1::8080")
        model = f"--volume={iris_model}:/opt/ml/model:ro"
        with containers.container(docker, serving_image, "serve", options=(*joined, model)) as serving:
            serving.wait_for(f"{serving.url(8080)}/ping")
            # functions are unpacked in /tmp, thousands of files each
            options = (f"--network={network}", "--publish=127.0.0.1::4566", "--tmpfs=/tmp:exec")
            endpoints = ("iris", "flowers", "Roses", "*")
            environment = {"SAGEMAKER_ENDPOINTS": ",".join(f"{name}=http://serving:8080" for name in endpoints)}
            with containers.container(docker, image, options=options, environment=environment) as emulator:
                url = emulator.url(4566)
                emulator.wait_for(f"{url}/_ministack/health")
                local = Cloud(url, replace(sam, settings={"AWS_ENDPOINT_URL": url}))
                local.client("s3").create_bucket(Bucket=BUCKET)
                yield local
