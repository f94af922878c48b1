"""The model to serve: the user's own directory, or an example that is trained when it is missing or outdated."""

import difflib
import hashlib
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from local.commands import training
from local.errors import ChainError
from local.process import Command
from local.settings import SERVING, STATE

NAMES = ("iris", "breast-cancer", "wine", "digits")
STAMP = ".trained-from"

# Runs a command to its end and returns its exit code.
Run = Callable[[Command], int]


@dataclass(frozen=True, slots=True)
class Examples:
    """The program that trains them, what else they depend on, and the folder that holds one directory for each."""

    program: Path
    lock: Path
    folder: Path


EXAMPLES = Examples(SERVING / "example" / "train.py", SERVING / "requirements.txt", STATE / "models")


def find_model(name: str, environ: Mapping[str, str], run: Run, examples: Examples = EXAMPLES) -> Path:
    """Return the directory of the model called `name`."""
    if name not in NAMES:
        return _own(name)
    directory = examples.folder / name
    stamp = _stamp(examples)
    if not _is_current(directory, stamp):
        print(f"training the example model {name} ...", flush=True)
        with tempfile.TemporaryDirectory(dir=_made(examples.folder), prefix=f"{name}-") as scratch:
            fresh = Path(scratch) / name
            if code := run(training(examples.program, name, fresh, environ)):
                raise ChainError(f"training the example model {name} ended with code {code}")
            (fresh / STAMP).write_text(stamp)
            _move(fresh, directory, stamp)
    return directory


def _own(name: str) -> Path:
    directory = Path(name).expanduser().resolve()
    if name and directory.is_file():
        raise ChainError(f"MODEL={name} is not a directory but a file; give the one that holds it, {Path(name).parent}")
    if not name or not directory.is_dir():
        near = difflib.get_close_matches(name, NAMES, 1)
        meant = f" (did you mean {near[0]}?)" if near else ""
        expected = f"expected one with a model in it, or an example: {', '.join(NAMES)}"
        raise ChainError(f"MODEL={name} is not a directory{meant}; {expected}")
    if not any(path.is_file() for path in directory.rglob("*")):
        raise ChainError(f"MODEL={name} is an empty directory; expected a model in it, such as model.joblib")
    return directory


def _stamp(examples: Examples) -> str:
    digest = hashlib.sha256(sys.version.encode())
    for source in (examples.program, examples.lock):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def _is_current(directory: Path, stamp: str) -> bool:
    file = directory / STAMP
    return file.is_file() and file.read_text() == stamp


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _move(fresh: Path, directory: Path, stamp: str) -> None:
    """Put a model in its place whole: an interrupted training leaves no half model."""
    shutil.rmtree(directory, ignore_errors=True)
    try:
        fresh.rename(directory)
    except OSError:
        # Another chain may have trained the same model meanwhile.
        if not _is_current(directory, stamp):
            raise
