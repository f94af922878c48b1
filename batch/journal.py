"""What is done of a batch, beside its output: a batch that was killed goes on from there."""

import fcntl
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from batch.errors import BatchError
from batch.records import Position


@dataclass(frozen=True, slots=True)
class Done:
    """How far a file is: the input's position, and the bytes, rows and errors of the output so far."""

    offset: int
    line: int
    size: int = 0
    rows: int = 0
    errors: int = 0

    @property
    def position(self) -> Position:
        return Position(self.offset, self.line)

    def after(self, end: Position, rows: int, errors: int, size: int) -> "Done":
        """Return how far the file is with some more rows."""
        return Done(end.offset, end.line, size, self.rows + rows, self.errors + errors)


class Journal:
    """Says which batch its file is of, and how far that is; written whole or not at all."""

    def __init__(self, path: Path, identity: Mapping[str, Any]) -> None:
        self._path = path
        self.identity = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
        self._files: dict[str, dict[str, int]] = {}

    def load(self) -> bool:
        """Return whether there is something of this very batch to go on from."""
        try:
            document = json.loads(self._path.read_text())
        except (OSError, ValueError):
            return False
        if document.get("batch") != self.identity:
            return False
        self._files = document["files"]
        return bool(self._files)

    def done(self, name: str) -> Done | None:
        """Return how far a file is."""
        found = self._files.get(name)
        return Done(**found) if found else None

    def write(self, name: str, done: Done) -> None:
        """Record how far a file is; what it counts has to be on the disk before."""
        self._files[name] = asdict(done)
        fresh = self._path.with_name(self._path.name + ".new")
        with fresh.open("w") as file:
            json.dump({"batch": self.identity, "files": self._files}, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(self._path)

    def remove(self) -> None:
        """Remove the file: the batch is complete."""
        self._path.unlink(missing_ok=True)


def lock(file: BinaryIO, output: Path) -> None:
    """Keep a second run from the same output; the lock goes with the process."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise BatchError(f"another run writes {output}: wait for its end") from None


def identity_of(folder: Path) -> list[tuple[str, int, int]]:
    """What tells whether the files of a folder, or a file, are still the same."""
    files = [folder] if folder.is_file() else sorted(path for path in folder.rglob("*") if path.is_file())
    stats = [(path, path.stat()) for path in files if "__pycache__" not in path.parts]
    return [
        (path.name if path == folder else str(path.relative_to(folder)), s.st_size, s.st_mtime_ns) for path, s in stats
    ]
