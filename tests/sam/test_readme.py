"""What docs/deploying.md tells a reader to type with the SAM CLI, typed in a shell that knows nothing else.

The endpoint is the one in a container beside it: its name and address are written into the file that the page names;
the network and the images of this machine come from variables of the SAM CLI.
"""

import json
import os
import subprocess
from pathlib import Path

from tests import sam_cli
from tests.docs.readme import blocks
from tests.environments import ROOT
from tests.sam.conftest import ENDPOINT
from tests.sam_cli import SamCli

BUILT = {".aws-sam", ".git", "events"}


def test_of_the_sam_cli(local_sam: SamCli, network: str, runtime: str, tmp_path: Path) -> None:
    project = sam_cli.copy_deployed(tmp_path)
    for path in ROOT.iterdir():
        if path.name not in {*BUILT, *sam_cli.DEPLOYED}:
            (project / path.name).symlink_to(path)
    (project / "events" / "variables").mkdir(parents=True)
    (project / "events" / "predict.json").symlink_to(ROOT / "events" / "predict.json")
    variables = {"ENDPOINT_NAME": ENDPOINT, "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": runtime}
    (project / "events" / "variables" / "environment.json").write_text(json.dumps({"Parameters": variables}))
    (block,) = blocks("sam")
    of_this_machine = {"SAM_DOCKER_NETWORK": network, "SAM_SKIP_PULL_IMAGE": "true"}
    account = {**sam_cli.CREDENTIALS, **local_sam.settings}
    left_out = ("AWS_", "SAM_", "MAKE", "MFLAGS")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}

    typed = subprocess.run(
        ["sh", "-ec", block.text],
        cwd=project,
        env={**inherited, **account, **of_this_machine},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert typed.returncode == 0, typed.stdout + typed.stderr
    assert json.loads(typed.stdout.strip().splitlines()[-1])["statusCode"] == 200, typed.stderr
