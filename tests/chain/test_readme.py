"""What the README and docs/ tell a reader to type against `make run`, typed."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chain.running import ANY_PORTS, ROOT, Running, running
from tests.docs.readme import Block, blocks

PREDICTED = {"predictions": ["versicolor", "virginica", "virginica", "virginica", "virginica"]}


def typed(block: Block, chain: Running, folder: Path) -> str:
    """Run a block in `folder`, with the chain's own ports in place of the README's; return what it prints."""
    text = block.text.replace("http://127.0.0.1:3000", chain.url).replace("http://127.0.0.1:8081", chain.runtime_url)
    shell = ["sh", "-ec", text.replace("curl ", "curl --silent --show-error ")]
    command = shell if block.language == "sh" else [sys.executable, "-c", text]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=60).stdout


def without_id(text: str | None) -> Any:
    """Return a JSON text's value, where every request's id is alike; a probability is printed with three digits."""
    text = re.sub(r'("request_id": *)"[^"]+"', r'\1""', text or "")
    return json.loads(text, parse_float=lambda number: round(float(number), 3))


def lines(lane: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("block", blocks(lane), ids=lambda block: f"{block.page}-{block.line}")


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("keyed") / "log", *ANY_PORTS, "--api-key", "my-key") as chain:
        chain.wait_until_ready()
        yield chain


@lines("chain")
def test_of_the_api(block: Block, chain: Running, tmp_path: Path) -> None:
    answer = typed(block, chain, tmp_path)

    assert block.answer is None or without_id(answer) == without_id(block.answer)
    assert set(json.loads(answer)) >= ({"predictions"} if block.answer is None else set())


@lines("keyed")
def test_of_the_api_with_a_key(block: Block, keyed: Running, tmp_path: Path) -> None:
    assert without_id(typed(block, keyed, tmp_path)) == without_id(block.answer)


@lines("signed")
def test_of_direct_access(block: Block, chain: Running, tmp_path: Path) -> None:
    answer = typed(block, chain, tmp_path)

    assert json.loads(answer) == PREDICTED if block.language == "sh" else answer.split() == ["versicolor", "virginica"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the README's model is saved, as my-model."""
    folder = tmp_path_factory.mktemp("folder")
    (save,) = blocks("save")
    subprocess.run([sys.executable, "-c", save.text], cwd=folder, check=True, timeout=60)
    return folder


def test_of_a_model_of_ones_own(folder: Path) -> None:
    """Serve the README's model, and send it the rows that are printed."""
    with running(folder / "log", *ANY_PORTS, "--model", str(folder / "my-model")) as chain:
        chain.wait_until_ready()
        printed = subprocess.run(shlex.split(chain.curl), capture_output=True, check=True, timeout=60).stdout

    assert all(prediction in {0, 1, 2} for prediction in json.loads(printed)["predictions"])


def test_of_a_faster_model(folder: Path) -> None:
    (compile_,) = blocks("compile")
    command = shlex.split(compile_.text.replace("=my-model", f"={folder}/my-model"))

    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)

    assert (folder / "my-model-compiled" / "model.onnx").is_file()


@pytest.mark.parametrize("lane", ["run", "check", "push", "deploy"])
def test_of_make(lane: str) -> None:
    """Each is a command of the Makefile, with the variables that it reads."""
    environment = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
    for block in blocks(lane):
        for line in block.text.strip().splitlines():
            command = shlex.split(line, comments=True)
            assert command[0] == "make", line
            subprocess.run([*command, "--dry-run"], cwd=ROOT, env=environment, check=True, capture_output=True)
