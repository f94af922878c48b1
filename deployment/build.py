"""Build the image with a model in it, from a copy: the folders of the project and of the model stay as they are."""

import hashlib
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from deployment.contract import check_contract
from deployment.engine import Docker
from deployment.errors import ContainerError, UsageError
from deployment.findings import Finding, passed
from deployment.image import MODEL_LABEL
from deployment.model_packages import LOCK, lock, of_image, requirements
from deployment.model_process import needed_extras
from deployment.settings import ROOT, SERVING
from deployment.target import Hosting, Target
from golden import requests

IMAGE = "serving-container"
PLATFORM = "linux/amd64"
DOCKERFILE = SERVING / "Dockerfile"
# Of a model's folder, what says how it is deployed or tried, and has no use in the image.
LEFT_OUT = (".git", "__pycache__", "deployment.toml")
BASE = re.compile(r"^ARG BASE=(?P<name>\S+)$", re.MULTILINE)
# What the trial asks of a container that is only to come up: SageMaker's longest time and no limit of memory.
TRIAL = Target(Hosting.REALTIME, "ml.m5.large", 2048)
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Build:
    """What to build: `extras` and `flags` are words with blanks between them; an empty `base` is the Dockerfile's."""

    model: Path
    image: str
    context: Path | None
    extras: str
    flags: str
    base: str
    platform: str

    @property
    def folder(self) -> Path:
        """Where the copy lies: one folder for each model, so that two can be built at once."""
        if self.context:
            return self.context.expanduser().resolve()
        return ROOT / ".local" / "image" / digest(str(self.model).encode())


def digest(content: bytes) -> str:
    """Return a short name for a content."""
    return hashlib.sha256(content).hexdigest()[:16]


def model_digest(folder: Path) -> str:
    """Return a hash of a model's files, with their names; golden requests ask the model and are no part of it."""
    out = {*LEFT_OUT, "golden.json"}
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    whole = hashlib.sha256()
    for path in (path.relative_to(folder) for path in files):
        if not out.intersection(path.parts):
            whole.update(f"{path.as_posix()}\0{hashlib.sha256((folder / path).read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()[:16]


def build(docker: Docker, chosen: Build, tell: Tell) -> None:
    """Build the image; raises ContainerError, and PackagesError before anything is built."""
    own = requirements(chosen.model)
    if own:
        lock(chosen.model, of_image(chosen.platform), chosen.model / LOCK, tell)
    copy(chosen)
    # A folder with requirements.txt says itself what its model needs.
    extras = chosen.extras if own else needed_extras(chosen.folder / "model", chosen.extras.split())
    command = ["build", *shlex.split(chosen.flags), *_form(docker, chosen.platform)]
    if "--build-arg BASE=" not in f"{chosen.flags} ".replace("--build-arg=", "--build-arg "):
        command += ["--build-arg", f"BASE={chosen.base or pinned_base(docker, tell)}"]
    command += ["--build-arg", f"EXTRAS={extras}", "--label", f"{MODEL_LABEL}={chosen.model.name}"]
    command += ["--tag", chosen.image, str(chosen.folder)]
    tell(f"+ {shlex.join([docker.command, *command])}")
    docker.show(*command)


def copy(chosen: Build) -> None:
    """Copy the container's folder and the model's; raises UsageError where other things lie."""
    folder = chosen.folder
    if folder.exists() and any(folder.iterdir()) and not (folder / "Dockerfile").is_file():
        raise UsageError(f"CONTEXT={folder} holds other files, which would be lost; name an empty folder")
    shutil.rmtree(folder, ignore_errors=True)
    ignored = shutil.ignore_patterns(*LEFT_OUT)
    shutil.copytree(SERVING, folder, ignore=ignored)
    shutil.copytree(chosen.model, folder / "model", ignore=ignored, dirs_exist_ok=True, ignore_dangling_symlinks=True)


def pinned_base(docker: Docker, tell: Tell) -> str:
    """Return the Dockerfile's base image by digest; where no registry answers, the same tag of this machine."""
    found = BASE.search(DOCKERFILE.read_text())
    pinned = found["name"] if found else ""
    tag = pinned.partition("@")[0]
    if docker.has(pinned):
        return pinned
    try:
        docker.run("pull", "--quiet", pinned)
    except ContainerError:
        if not docker.has(tag):
            raise
        tell(f"warning: no registry has {pinned}: built on this machine's own {tag}")
        return tag
    return pinned


def _form(docker: Docker, platform: str) -> Iterator[str]:
    """One image for the hosting's processor: an index of several, or of attestations, is refused by SageMaker."""
    if docker.platform() != platform:
        yield from ("--platform", platform)
    if docker.has_buildx():
        yield from ("--provenance=false", "--sbom=false", "--output=type=docker")


def try_image(docker: Docker, chosen: Build) -> list[Finding]:
    """Start the image as SageMaker does, ask it the model's golden requests, and stop it."""
    file = chosen.model / "golden.json"
    golden = requests.read(file) if file.is_file() else ()
    findings = check_contract(docker, chosen.image, None, TRIAL, golden)
    return [passed("image", f"built {chosen.image} of {chosen.model}"), *findings]
