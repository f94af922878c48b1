"""The commands of docs/aws-checklist.md are commands of the Makefile; what they do on AWS is what the page is for."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "aws-checklist.md").read_text()
BLOCK = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[0]
INLINE = [command for command in re.findall(r"`(make [^`]+)`", PAGE) if "\n" not in command]


@pytest.mark.parametrize("command", sorted({*INLINE}))
def test_what_is_named_in_the_text(command: str) -> None:
    dry_run(command.replace("$IMAGE_URI", "image"))


def dry_run(command: str) -> None:
    words = [word for word in shlex.split(command) if word != "..."]
    environment = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
    subprocess.run([*words, "--dry-run"], cwd=ROOT, env=environment, check=True, capture_output=True, timeout=60)


def test_the_first_lines_as_a_shell_runs_them(tmp_path: Path) -> None:
    """`make` is a stand-in that writes down its arguments and the region, and answers to push."""
    said = tmp_path / "said"
    (tmp_path / "make").write_text(
        f'#!/bin/sh\necho "$AWS_REGION $*" >> {said}\ncase "$*" in *push*) echo registry/image@sha256:0;; esac\n'
    )
    (tmp_path / "make").chmod(0o755)

    subprocess.run(["sh", "-ec", BLOCK], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, check=True, timeout=60)

    assert said.read_text().splitlines() == [
        "eu-west-1 image",
        "eu-west-1 -s push",
        "eu-west-1 preflight ENV=staging IMAGE=serving-container PARAMETERS=ImageUri=registry/image@sha256:0",
    ]
