"""The SAM CLI from its own locked environment, kept away from any real AWS account."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.environments import GOLDEN, ROOT, TOOLS

# Good for the emulators only.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
# What `sam build` reads.
# Two functions may have the same code.
CODE = sorted(set(re.findall(r"CodeUri: (\w+)/", (ROOT / "template.yaml").read_text())))
DEPLOYED = ("template.yaml", "samconfig.toml", *CODE)


@dataclass(frozen=True, slots=True)
class SamCli:
    """`settings` are environment variables added to each command's."""

    settings: Mapping[str, str]

    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAM_"))}
        return inherited | {
            # sam builds with uv
            "PATH": os.pathsep.join((str(TOOLS / "uv/bin"), inherited["PATH"])),
            "SAM_CLI_TELEMETRY": "0",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            **CREDENTIALS,
            **self.settings,
        }

    def start(
        self, *arguments: str, cwd: Path, output: int | None = None, errors: int = subprocess.STDOUT
    ) -> subprocess.Popen[str]:
        command = [str(TOOLS / "sam/bin/sam"), *arguments]
        return subprocess.Popen(
            command,
            cwd=cwd,
            env=self.environment(),
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
        )

    def run(self, *arguments: str, cwd: Path, timeout: float = 300) -> str:
        """What the command prints, an error with all of it where it fails."""
        process = self.start(*arguments, cwd=cwd, output=subprocess.PIPE)
        output, _ = process.communicate(timeout=timeout)
        if process.returncode:
            raise RuntimeError(f"sam {' '.join(arguments)}\n{output}")
        return output

    def invoke(self, *arguments: str, cwd: Path) -> dict[str, Any]:
        """What a function answers to `sam local invoke`; its log, where a container may complain, is apart."""
        process = self.start(*arguments, cwd=cwd, output=subprocess.PIPE, errors=subprocess.PIPE)
        output, log = process.communicate(timeout=120)
        if process.returncode:
            raise RuntimeError(f"sam {' '.join(arguments)}\n{log}")
        answer: dict[str, Any] = json.loads(output)
        return answer


def copy_deployed(to: Path) -> Path:
    """Copy what `sam build` reads, so that tests build beside each other and may change their copy."""
    for name in DEPLOYED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, to / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, to / name)
    shutil.copy(GOLDEN, to / "golden" / "golden.json")
    return to
