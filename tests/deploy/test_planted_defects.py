"""The checks catch what they are there for: each planted defect fails its check, and no other.

The suite plants one defect, for each costs a deployment; `WHOLE=1 make test` plants all.
"""

import os
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.deploy.checks import failing
from tests.deploy.cloud import Api, Cloud
from tests.deploy.plants import PLANTS
from tests.sam_cli import SamCli

CHOSEN = [*PLANTS] if "WHOLE" in os.environ else ["no-api-key"]
# A deployment mostly waits for the emulator.
AT_ONCE = 3


@pytest.fixture(scope="session")
def planted(cloud: Cloud, sam: SamCli, project: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Api]:
    """The API of each stack with a defect."""

    def deploy(name: str) -> Api:
        # with what `sam build` keeps, so that it builds only what the defect is in
        copy = shutil.copytree(project, tmp_path_factory.mktemp("planted") / name)
        PLANTS[name](copy)
        sam.run("build", cwd=copy)
        return cloud.deploy(copy, name, {"EndpointName": "iris"})

    first, *others = CHOSEN
    # The first deployment may have to make the bucket that all of them use.
    apis = {first: deploy(first)}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return apis | dict(zip(others, pool.map(deploy, others), strict=True))


@pytest.mark.parametrize("name", CHOSEN)
def test_planted_defect_fails_its_check(planted: Mapping[str, Api], name: str) -> None:
    assert failing(planted[name]) == PLANTS[name].caught_by
