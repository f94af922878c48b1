"""What the README tells a reader to type with the SAM CLI, typed; the endpoint is the one in a container beside it."""

import shlex
import shutil
from pathlib import Path

from tests import sam_cli
from tests.docs.readme import blocks
from tests.environments import ROOT
from tests.sam_cli import SamCli


def test_of_the_sam_cli(local_sam: SamCli, local_options: tuple[str, ...], tmp_path: Path) -> None:
    project = sam_cli.copy_deployed(tmp_path)
    shutil.copytree(ROOT / "events", project / "events")
    (block,) = blocks("sam")
    build, invoke = (shlex.split(line)[1:] for line in block.text.strip().splitlines())

    local_sam.run(*build, cwd=project)
    answer = local_sam.invoke(*invoke, *local_options, cwd=project)

    assert answer["statusCode"] == 200, answer
