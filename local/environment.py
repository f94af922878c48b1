"""The Python that a model runs on: this one, or an environment of its own where its folder has a requirements.txt."""

import fcntl
import hashlib
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deployment import package_index
from deployment.errors import DeploymentError
from deployment.model_packages import LOCK, SERVER, Server, lock, of_image, of_this_python, requirements
from local.errors import ChainError
from local.process import Command
from local.settings import ROOT, STATE

CACHE = STATE / "environments"
# It is written when the environment is whole.
WHOLE = ".whole"
Run = Callable[[Command], int]
Tell = Callable[[str], None]


def find_python(
    model: Path,
    run: Run,
    tell: Tell,
    server: Server = SERVER,
    cache: Path = CACHE,
) -> Path:
    """Return the model's Python; its environment is built when it is first needed.

    Raises ChainError where its packages cannot be had, or conflict with the server's.
    """
    if not requirements(model):
        return Path(sys.executable)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        locked = _lock(model, tell, server, cache)
        return _environment(locked, run, tell, cache)
    except DeploymentError as error:
        raise ChainError(_told(model, error)) from None


def _lock(model: Path, tell: Tell, server: Server, cache: Path) -> Path:
    """Return the lock for this Python: the model's own, or one in the cache where the image has another Python."""
    here, image = of_this_python(), of_image()
    if here == image:
        return lock(model, here, model / LOCK, tell, server)
    place = cache / f"{_digest(f'{model} {here}')}.lock"
    tell(f"this is {here}, the image has {image}: the packages here may differ; {LOCK} is for the image, and stays")
    return lock(model, here, place, tell, server)


def _environment(locked: Path, run: Run, tell: Tell, cache: Path) -> Path:
    # One environment for all models with these packages, whatever they say of them; it refers to this Python.
    packages = [line for line in locked.read_text().splitlines() if not line.startswith("#")]
    folder = cache / _digest(f"{sys.version} {sys.base_prefix} {packages}")
    python = folder / "bin" / "python"
    with _alone(folder.with_suffix(".building"), tell):
        if not (folder / WHOLE).is_file():
            tell(f"building the environment of the model's packages in {folder} (once) ...")
            uv = package_index.UV
            shutil.rmtree(folder, ignore_errors=True)  # what is left of a build that was broken off
            _run(run, str(uv), "venv", "--quiet", "--python", sys.executable, str(folder))
            _run(run, str(uv), "pip", "sync", "--require-hashes", "--python", str(python), str(locked))
            (folder / WHOLE).touch()
    return python


def _run(run: Run, *arguments: str) -> None:
    command = Command("environment", arguments, package_index.environment(), ROOT)
    if code := run(command):
        raise ChainError(f"`{' '.join(arguments)}` ended with code {code}; see its message above")


@contextmanager
def _alone(file: Path, tell: Tell) -> Iterator[None]:
    """Keep another command from building the same."""
    with file.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell("another command builds the environment of these packages: waiting for it ...")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _told(model: Path, error: DeploymentError) -> str:
    cause, _, remedy = str(error).rpartition(": ")
    return f"the model in {model} cannot be served\n  cause: {cause or error}\n  remedy: {remedy}"
