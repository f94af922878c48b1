"""Where the project's files lie, and the environment that a command was started in."""

import os
from collections.abc import Mapping
from pathlib import Path

ENVIRON: Mapping[str, str] = os.environ
ROOT = Path(__file__).parent.parent
TEMPLATE = ROOT / "template.yaml"
SAMCONFIG = ROOT / "samconfig.toml"
GOLDEN = ROOT / "golden" / "golden.json"
SERVING = ROOT / "serving-container"
TOOLS = ROOT / ".tools"


def without_make(environ: Mapping[str, str] = ENVIRON) -> dict[str, str]:
    """Return the environment for a make below another, which must not pass its own flags on."""
    return {name: value for name, value in environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}}
