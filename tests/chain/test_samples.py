"""What `make run` and `make golden` make of the samples.csv beside a model of one's own."""

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.chain.running import ANY_PORTS, ROOT, Running, running
from tests.local import sample_models
from tests.local.sample_models import Save


def answer(chain: Running) -> Any:
    """What the printed line prints."""
    return json.loads(subprocess.run(shlex.split(chain.curl), capture_output=True, check=True, timeout=60).stdout)


def golden(url: str, model: Path, file: Path) -> tuple[int, str, str]:
    """What `make golden` says."""
    command = [sys.executable, "-m", "cli", "golden", str(model), "--url", url, "--file", str(file)]
    ended = subprocess.run(command, cwd=ROOT, env={}, capture_output=True, text=True, check=False, timeout=60)
    return ended.returncode, ended.stdout, ended.stderr


@pytest.mark.parametrize(
    ("save", "first"),
    [
        (sample_models.text, {"data": [["a bad day"]]}),
        (sample_models.digits, {"data": [["2", "94110", 0]], "columns": ["size", "zip", "age"]}),
        (sample_models.own_step, {"data": [[0, 20.5]], "columns": ["age", "bmi"]}),
    ],
)
def test_the_models_rows_are_sent_as_it_takes_them(save: Save, first: Any, tmp_path: Path) -> None:
    save(tmp_path / "model")
    file = tmp_path / "golden.json"

    with running(tmp_path / "log", *ANY_PORTS, "--model", str(tmp_path / "model")) as chain:
        chain.wait_until_ready()
        printed = answer(chain)
        said = golden(chain.url, tmp_path / "model", file)

    assert printed == {"predictions": ["no"]}
    assert said == (0, f"{file}: 2 golden requests. Read the answers before you trust them.\n", "")
    one, several = json.loads(file.read_text())
    assert one == {"request": first, "answer": printed}
    assert several["answer"] == {"predictions": ["no", "yes"] * 5}
    assert "Traceback" not in (tmp_path / "log").read_text().partition("ready: ")[0]


def test_the_target_left_in_is_named(tmp_path: Path) -> None:
    sample_models.with_target(tmp_path / "model")
    file = tmp_path / "golden.json"

    with running(tmp_path / "log", *ANY_PORTS, "--model", str(tmp_path / "model")) as chain:
        chain.wait_until_ready()
        printed = answer(chain)
        said = golden(chain.url, tmp_path / "model", file)

    refusal = f"{tmp_path / 'model' / 'samples.csv'} does not fit the model: 400 "
    shown = (tmp_path / "log").read_text()
    assert f"\n{refusal}" in shown
    assert 'unknown "target"' in shown
    assert "\n\ntry it, with rows of your model's features:\n" in shown
    assert printed == {"predictions": ["no"]}
    assert (said[0], said[1]) == (2, "")
    assert said[2].startswith(f"error: {refusal}")
    assert 'unknown column "target"' in said[2]
    assert not file.exists()


def test_a_type_that_is_trusted_is_trusted_by_the_line_as_well(tmp_path: Path) -> None:
    sample_models.own_step_in_skops(tmp_path / "model")

    trusted = {"SERVING_TRUSTED_TYPES": "tests.local.bmi.Bmi"}
    with running(tmp_path / "log", *ANY_PORTS, "--model", str(tmp_path / "model"), **trusted) as chain:
        chain.wait_until_ready()

        assert answer(chain) == {"predictions": ["no"]}
