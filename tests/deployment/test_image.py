"""What preflight says about a local image, before it starts it."""

import json
from pathlib import Path
from typing import Any

import pytest

from deployment.engine import Docker
from deployment.findings import Level
from deployment.image import check_image
from deployment.target import Hosting, Target

TARGET = Target(Hosting.SERVERLESS, "ml.m5.large", 2048)


def docker(folder: Path, labels: dict[str, str] | None) -> Docker:
    """A docker program that knows one image."""
    config: dict[str, Any] = {"Labels": labels, "Entrypoint": None}
    known = {"Os": "linux", "Architecture": "amd64", "Size": 1, "Created": "2026-11-27T10:00:00.1Z", "Config": config}
    (folder / "inspected").write_text(json.dumps([known]))
    program = folder / "docker"
    program.write_text(f"#!/bin/sh\ncat {folder}/inspected\n")
    program.chmod(0o755)
    return Docker(str(program))


@pytest.mark.parametrize(
    ("labels", "level", "text"),
    [
        ({"model-api.model": "iris"}, Level.OK, "serving-container, built 2026-11-27 10:00:00 of the model iris"),
        (
            {"model-api.model": "wine"},
            Level.ERROR,
            "serving-container, built 2026-11-27 10:00:00 of the model wine, not of iris",
        ),
        ({}, Level.OK, "serving-container, built 2026-11-27 10:00:00"),
        (None, Level.OK, "serving-container, built 2026-11-27 10:00:00"),
    ],
)
def test_it_is_said_which_image_is_looked_at(
    tmp_path: Path, labels: dict[str, str] | None, level: Level, text: str
) -> None:
    first = check_image(docker(tmp_path, labels), "serving-container", TARGET, "iris")[0]

    assert (first.level, first.text) == (level, text)
