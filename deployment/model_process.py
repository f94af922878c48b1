"""Programs of the container that load a model: each in a process of its own, without this machine's credentials.

A pickle runs code of whoever made it. What it finds in its environment is what programs need to run, and no more.
"""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from deployment.errors import ModelError
from deployment.settings import ENVIRON, SERVING

INHERITED = frozenset({"HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "TZ"})


def reduced(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what a model's process may know of the environment: nothing of AWS, of proxies, of tokens."""
    kept = {name: value for name, value in environ.items() if name in INHERITED or name.startswith("SERVING_")}
    return kept | {"PYTHONPATH": str(SERVING)}


def compile_model(model: Path, output: Path) -> int:
    """Run the container's `compile` and let the user watch; return its exit code."""
    command = _command("predictor", "compile", str(model), "--output", str(output))
    return subprocess.run(command, env=reduced(ENVIRON), check=False).returncode  # noqa: S603  # our own program


def describe_model(model: Path, python: Path) -> str:
    """Return the JSON of the model's schema, as the container describes it; raises ModelError."""
    ended = subprocess.run(  # noqa: S603  # our own program
        [str(python), "-m", "predictor", "describe", str(model)],
        env=reduced(ENVIRON),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise ModelError("the model cannot be described; see the message above")
    return ended.stdout


def needed_extras(model: Path, asked: Sequence[str]) -> str:
    """Return the extras that are asked for and those that the model needs; raises ModelError."""
    ended = subprocess.run(  # noqa: S603  # our own program
        _command("predictor.worker.extras", str(model), *asked),
        env=reduced(ENVIRON),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise ModelError("the model could not be looked at; see the message above")
    return ended.stdout.strip()


def _command(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]
