"""The model to serve: the user's own directory, or an example that is trained when it is missing or outdated."""

import hashlib
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from local.commands import training
from local.errors import ModelMissingError, TrainingError
from local.process import Command
from local.settings import ROOT, SERVING, STATE

EXAMPLES = ("iris", "breast-cancer", "wine", "digits")
# What a trained example depends on, beside the version of Python.
SOURCES = (SERVING / "example" / "train.py", SERVING / "requirements.txt")
STAMP = ".trained-from"

# Runs a command to its end and returns its exit code.
Run = Callable[[Command], int]


def find_model(name: str, environ: Mapping[str, str], run: Run) -> Path:
    """Return the directory of the model called `name`."""
    if name not in EXAMPLES:
        return _own(name)
    directory = STATE / "models" / name
    stamp = _stamp()
    if not _is_current(directory, stamp):
        print(f"training the example model {name} into {directory.relative_to(ROOT)} ...", flush=True)
        _train(directory, stamp, environ, run)
    return directory


def _own(name: str) -> Path:
    directory = Path(name).expanduser().resolve()
    if not directory.is_dir():
        raise ModelMissingError(
            f"MODEL={name} is not a directory; expected one with a model in it, or an example: {', '.join(EXAMPLES)}"
        )
    return directory


def _stamp() -> str:
    digest = hashlib.sha256(sys.version.encode())
    for source in SOURCES:
        digest.update(source.read_bytes())
    return digest.hexdigest()


def _is_current(directory: Path, stamp: str) -> bool:
    file = directory / STAMP
    return file.is_file() and file.read_text() == stamp


def _train(directory: Path, stamp: str, environ: Mapping[str, str], run: Run) -> None:
    directory.parent.mkdir(parents=True, exist_ok=True)
    # Trained beside its place and moved there whole: an interrupted training leaves no half model.
    with tempfile.TemporaryDirectory(dir=directory.parent, prefix=f"{directory.name}-") as scratch:
        fresh = Path(scratch) / directory.name
        if code := run(training(directory.name, fresh, environ)):
            raise TrainingError(f"training the example model {directory.name} ended with code {code}")
        (fresh / STAMP).write_text(stamp)
        shutil.rmtree(directory, ignore_errors=True)
        try:
            fresh.rename(directory)
        except OSError:
            # Another chain may have trained the same model meanwhile.
            if not _is_current(directory, stamp):
                raise
