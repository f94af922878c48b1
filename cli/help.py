"""`make help`: each target with what follows `##` behind it, under the headings that begin with `##@`."""

import re
import sys
from pathlib import Path

TARGET = re.compile(r"^(?P<name>[a-z-]+):.*## (?P<text>.*)$")
HEADING = "##@ "


def lines(makefile: str) -> list[str]:
    """Return the help, line by line."""
    shown = []
    for line in makefile.splitlines():
        if line.startswith(HEADING):
            shown.append(f"{line.removeprefix(HEADING)}:")
        elif found := TARGET.match(line):
            shown.append(f"  make {found['name']:14} {found['text']}")
    return shown


if __name__ == "__main__":
    sys.stdout.write("\n".join(lines(Path(sys.argv[1]).read_text())) + "\n")
