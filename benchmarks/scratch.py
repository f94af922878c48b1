"""Where models, configurations and logs of a run lie, for one run at a time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.errors import BenchmarkError

SCRATCH = Path(__file__).parents[1] / ".local" / "benchmarks"


@contextmanager
def alone(directory: Path = SCRATCH) -> Iterator[Path]:
    """Two runs side by side would measure each other, and share this directory."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BenchmarkError("another benchmark is running on this machine: wait until it has ended") from error
        yield directory
