"""The checks catch what they are there for: each planted defect fails its check, and no other."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests import sam_cli
from tests.deploy.checks import failing
from tests.deploy.cloud import Api, Cloud
from tests.deploy.plants import PLANTS
from tests.sam_cli import SamCli

# A deployment mostly waits for the emulator.
AT_ONCE = 4


@pytest.fixture(scope="session")
def planted(cloud: Cloud, sam: SamCli, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Api]:
    """The API of each stack with a defect."""

    def deploy(name: str) -> Api:
        project = sam_cli.copy_deployed(tmp_path_factory.mktemp(name))
        PLANTS[name](project)
        sam.run("build", cwd=project)
        return cloud.deploy(project, name, {"EndpointName": "iris"})

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(PLANTS, pool.map(deploy, PLANTS), strict=True))


@pytest.mark.parametrize("name", PLANTS)
def test_planted_defect_fails_its_check(planted: Mapping[str, Api], name: str) -> None:
    assert failing(planted[name]) == {PLANTS[name].caught_by}
