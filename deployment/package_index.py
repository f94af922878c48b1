"""Where packages come from: what the user's pip is set to counts for uv, which does not read pip's settings."""

import ast
import re
import subprocess
from collections.abc import Mapping

from deployment.errors import MissingToolError
from deployment.settings import ENVIRON, TOOLS

UV = TOOLS / "uv" / "bin" / "uv"
PIP = UV.with_name("pip")
# A setting of pip, and the variable of uv for the same.
SETTINGS: Mapping[str, str] = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
}
# Variables with which a user says to uv itself where packages come from.
OWN = re.compile(r"UV_(DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|CONFIG_FILE)")
LINE = re.compile(r"^[^.\n]*\.(?P<name>[a-z-]+)=(?P<value>'.*'|\".*\")$", re.MULTILINE)


def environment(environ: Mapping[str, str] = ENVIRON) -> dict[str, str]:
    """Return the environment that uv runs in; raises MissingToolError."""
    if not UV.is_file():
        raise MissingToolError(f"there is no {UV}: `make {UV.relative_to(TOOLS.parent)}` installs it")
    # The project's own environment is not the one that uv is to work on. To resolve for a Python it needs none of it.
    kept = {name: value for name, value in environ.items() if name != "VIRTUAL_ENV"} | {"UV_PYTHON_DOWNLOADS": "never"}
    if any(OWN.fullmatch(name) for name in environ):
        return kept
    # As pip does, whose format requirements.txt has: the best version of all indexes. uv takes what the first one has.
    kept = {"UV_INDEX_STRATEGY": "unsafe-best-match"} | kept
    listed = subprocess.run([PIP, "config", "list"], env=kept, capture_output=True, text=True, check=False)  # noqa: S603  # our own tool
    return translated(listed.stdout) | kept


def translated(listed: str) -> dict[str, str]:
    """Return pip's settings, as `pip config list` prints them, as variables of uv.

    Folders of this machine are left out: the build of the image does not reach them.
    """
    found: dict[str, str] = {}
    for line in LINE.finditer(listed):
        words = [word for word in ast.literal_eval(line["value"]).split() if not word.startswith("file:")]
        if words and line["name"] in SETTINGS:
            found[SETTINGS[line["name"]]] = " ".join(words)
    return found
