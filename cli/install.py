"""Write the script `model-api` beside the interpreter that runs this: `.venv/bin/python -m cli.install`."""

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SCRIPT = """\
#!{python}
import sys

sys.path.insert(0, {root!r})

from cli.program import main

sys.exit(main())
"""


def install(folder: Path) -> Path:
    """Write the script into `folder`; return its path."""
    script = folder / "model-api"
    script.write_text(SCRIPT.format(python=folder / "python", root=str(ROOT)))
    script.chmod(0o755)
    return script


if __name__ == "__main__":
    install(Path(sys.executable).parent)
