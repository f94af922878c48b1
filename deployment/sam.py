"""The SAM CLI from an environment of its own: it builds the functions and uploads them.

CloudFormation is asked by `deployment.stacks`: `sam deploy` takes parameters as one text, in which quotes, stars and
blanks mean something of their own.
"""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deployment.errors import DeployFailedError, MissingToolError
from deployment.settings import ENVIRON, ROOT, TOOLS, without_make

SAM = TOOLS / "sam" / "bin" / "sam"
BUILDS = ROOT / ".aws-sam"
BUCKET = re.compile(r"^ +CodeUri: s3://(?P<bucket>[a-z0-9.-]+)/", re.MULTILINE)
LINES = 5
# Where the built functions look for a file of the model: the rollout's hook, the invoker's package.
PLACES = {"golden.json": ("RolloutHook",), "schema.json": ("Function/invoker",)}
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Package:
    """The template with its code uploaded, and the bucket that holds the code."""

    template: str
    bucket: str

    @property
    def key(self) -> str:
        """Where the template lies in the bucket."""
        return f"{hashlib.sha256(self.template.encode()).hexdigest()}.template"


def install() -> None:
    """Install the SAM CLI unless it is there; raises MissingToolError."""
    command = ["make", "--silent", "--no-print-directory", ".tools/sam/.locked"]
    ended = subprocess.run(command, cwd=ROOT, env=without_make(), stdout=sys.stderr, check=False)  # noqa: S603  # our own
    if ended.returncode:
        raise MissingToolError("the SAM CLI could not be installed; see the message above")


def package(stack: str, region: str, files: Mapping[str, Path | None], tell: Tell) -> Package:
    """Build the functions and upload them; raises DeployFailedError."""
    install()
    # One folder for each stack: two can be built at once.
    folder = BUILDS / stack
    tell("building the functions ...")
    build = ["build", "--beta-features", "--cached", "--parallel", "--template-file", str(ROOT / "template.yaml")]
    _run(region, *build, "--build-dir", str(folder / "build"), "--cache-dir", str(folder / "cache"))
    for name, file in files.items():
        if file and file.is_file():
            _put(folder / "build", name, file)
    tell("uploading them ...")
    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch) / "packaged.yaml"
        built = folder / "build" / "template.yaml"
        _run(region, "package", "--template-file", str(built), "--resolve-s3", "--output-template-file", str(output))
        template = output.read_text()
    found = BUCKET.search(template)
    if not found:
        raise DeployFailedError("`sam package` uploaded nothing; look at template.yaml's CodeUri")
    return Package(template, found["bucket"])


def _put(build: Path, name: str, file: Path) -> None:
    """Give the functions what is this model's own: its golden requests, and what it takes."""
    for place in PLACES[name]:
        for folder in build.glob(place):
            (folder / name).write_bytes(file.read_bytes())


def _run(region: str, *arguments: str) -> None:
    ended = subprocess.run(  # noqa: S603  # our own program
        [str(SAM), *arguments],
        cwd=ROOT,
        env=_environment(ENVIRON, region),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if ended.returncode:
        said = [line.strip() for line in ended.stdout.splitlines() if line.strip()]
        raise DeployFailedError(f"`sam {arguments[0]}` failed: {' | '.join(said[-LINES:])}")


def _environment(environ: Mapping[str, str], region: str) -> dict[str, str]:
    """SAM builds with uv, and takes the region from one variable only."""
    path = os.pathsep.join((str(TOOLS / "uv" / "bin"), environ.get("PATH", os.defpath)))
    return {**environ, "PATH": path, "AWS_DEFAULT_REGION": region, "SAM_CLI_TELEMETRY": "0"}
