"""The tools' environments: made when they are first needed, by one of the test processes."""

import fcntl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
TOOLS = ROOT / ".tools"
# Of the example model iris; the project's own golden requests are of whatever model the user has.
GOLDEN = ROOT / "tests" / "golden" / "iris.json"


def make(name: str) -> Path:
    """Make the environment locked in requirements/NAME.txt, unless it is there; return its folder of programs."""
    with lock(name):
        subprocess.run(["make", "--silent", f".tools/{name}/.locked"], cwd=ROOT, check=True, timeout=600)
    return TOOLS / name / "bin"


@contextmanager
def lock(name: str) -> Iterator[None]:
    """Keep this project's other test processes out."""
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
