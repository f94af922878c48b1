"""What `make` says to a newcomer: help that lines up, and one line for what is missing or mistyped."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor

from cli.maintenance import BENCH_ENVIRONMENTS
from cli.make import arguments

ROOT = Path(__file__).parents[2]
INSTALL = "install it from https://docs.docker.com/get-started/get-docker/"
EXPECTED = "expected one with a model in it, or an example: iris, breast-cancer, wine, digits"


def make(*arguments: str, **environment: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr, without make's own lines."""
    # `make test` makes these tests' make one below another.
    inherited = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL"}}
    ended = subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=ROOT,
        env=inherited | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    said = [line for line in ended.stderr.splitlines() if not line.startswith("make: ***")]
    return ended.returncode, ended.stdout, "\n".join(said)


@pytest.fixture
def no_docker(tmp_path: Path) -> str:
    """A PATH with what the recipes need, and no docker."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for program in ("sh", "cp", "rm", "mkdir", "python3"):
        (folder / program).symlink_to(shutil.which(program) or "")
    return str(folder)


def test_help_lines_up_below_two_headings() -> None:
    _, printed, _ = make("help")

    headings = [line for line in printed.splitlines() if not line.startswith(" ")]
    columns = {
        len(line) - len(line[2:].partition(" ")[2].partition(" ")[2].lstrip())
        for line in printed.splitlines()
        if line.startswith("  make ")
    }
    assert headings == ["For who has a model:", "For who works on the project:"]
    assert len(columns) == 1
    assert "  make compile" in printed


def test_the_makefile_is_short() -> None:
    assert len((ROOT / "Makefile").read_text().splitlines()) < 100


@pytest.mark.parametrize("target", ["smoke", "golden", "preflight", "image", "cost", "bench"])
@pytest.mark.parametrize("from_environment", [True, False], ids=["environment", "command-line"])
def test_a_value_runs_nothing(target: str, tmp_path: Path, *, from_environment: bool) -> None:
    mark = tmp_path / "ran"
    value = f'http://127.0.0.1:9/$(touch {mark})$(shell touch {mark})`touch {mark}`"; touch {mark}; "\''
    names = (
        "URL",
        "KEY",
        "MODEL",
        "IMAGE",
        "DOCKER",
        "EXTRAS",
        "PARAMETERS",
        "ENV",
        "SERVERS",
        "PORT",
        "BASE",
        "OTHER",
    )
    values = dict.fromkeys(names, value)

    if from_environment:
        code, printed, said = make(target, **values)
    else:
        code, printed, said = make(target, *(f"{name}={text}" for name, text in values.items()))

    assert code == 2
    assert "error" in printed + said
    assert not mark.exists()


def test_a_value_arrives_as_it_was_typed() -> None:
    code, _, said = make("image", 'MODEL=$(HOME) `id` "a" #b $$c', "DOCKER=true")

    assert (code, said) == (2, f'error: MODEL=$(HOME) `id` "a" #b $$c is not a directory; {EXPECTED}')


def test_an_unknown_server_is_told_the_known_ones() -> None:
    code, _, said = make("bench", "SERVERS=product,nope")

    known = ",".join(BENCH_ENVIRONMENTS)
    assert code == 2
    assert said == f"error: SERVERS=product,nope: expected some of {known}, with commas"


@pytest.mark.parametrize("target", ["image", "golden", "compile"])
def test_a_model_that_is_not_there(target: str, tmp_path: Path) -> None:
    code, printed, said = make(target, "MODEL=typo", f"OUTPUT={tmp_path}", f"CONTEXT={tmp_path}", "DOCKER=true")

    assert (code, printed, said) == (2, "", f"error: MODEL=typo is not a directory; {EXPECTED}")


def test_compile_without_a_place_for_the_result() -> None:
    code, _, said = make("compile")

    assert code == 2
    assert "error: OUTPUT is not set: name a directory for the compiled model" in said


def test_compile_makes_a_model_that_make_run_serves(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(100, 3))
    (tmp_path / "forest").mkdir()
    joblib.dump(RandomForestRegressor(random_state=0).fit(rows, rows[:, 0]), tmp_path / "forest" / "model.joblib")
    np.save(tmp_path / "forest" / "samples.npy", rows)

    code, printed, said = make("compile", f"MODEL={tmp_path / 'forest'}", f"OUTPUT={tmp_path / 'compiled'}")

    assert code == 0, said
    assert printed.rstrip().endswith(f"compiled: {tmp_path / 'compiled' / 'model.onnx'}")
    assert {path.name for path in (tmp_path / "compiled").iterdir()} >= {"model.onnx", "samples.npy"}


def test_image_without_docker(no_docker: str) -> None:
    make_program = shutil.which("make") or ""
    ended = subprocess.run(
        [make_program, "image"], cwd=ROOT, env={"PATH": no_docker}, capture_output=True, text=True, check=False
    )

    assert ended.stderr.splitlines()[0] == f"error: there is no docker on PATH: {INSTALL}"


def preflight(no_docker: str, *arguments: str) -> str:
    command = [sys.executable, "-m", "cli", "preflight", "--parameter", "EndpointName=iris", *arguments]
    environment = {"PATH": no_docker, "AWS_EC2_METADATA_DISABLED": "true"}
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return subprocess.run(
        command, cwd=ROOT, env=environment | nowhere, capture_output=True, text=True, check=True, timeout=60
    ).stdout


def test_preflight_without_docker_goes_on(no_docker: str) -> None:
    printed = preflight(no_docker, "--image", "serving-container")

    assert f"skipped  image: there is no docker on PATH: {INSTALL}\n" in printed


def test_preflight_of_a_model_that_is_not_there() -> None:
    code, _, said = make("preflight", "PARAMETERS=EndpointName=iris", "IMAGE=x", "MODEL=typo")

    assert (code, said) == (2, f"error: MODEL=typo is not a directory; {EXPECTED}")


def test_smoke_where_nothing_listens() -> None:
    code, printed, said = make("smoke", "URL=http://127.0.0.1:9")

    assert (code, said) == (2, "")
    assert printed.splitlines()[0] == (
        "error    smoke: nothing answers at http://127.0.0.1:9: [Errno 111] Connection refused"
    )
    assert printed.splitlines()[-1] == "1 error"


@pytest.fixture
def closed() -> Iterator[tuple[str, list[str | None]]]:
    """The URL of an API, and the keys that it is shown, none of which it takes."""
    keys: list[str | None] = []

    class Closed(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(200)

        def do_POST(self) -> None:
            keys.append(self.headers.get("x-api-key"))
            self.answer(403)

        def answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Closed) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", keys
        server.shutdown()


@pytest.mark.parametrize("name", ["KEY", "API_KEY"])
@pytest.mark.parametrize("target", ["smoke", "golden"])
def test_a_key_has_two_names(target: str, name: str, closed: tuple[str, list[str | None]]) -> None:
    url, keys = closed

    code, printed, said = make(target, f"URL={url}", f"{name}=a-key")

    assert code == 2
    assert set(keys) - {None} == {"a-key"}
    assert "the key is refused: give KEY=..." in printed + said


@pytest.mark.parametrize("name", ["KEY", "API_KEY"])
def test_the_chain_is_given_a_key_by_either_name(name: str) -> None:
    assert arguments("run", {name: "a-key"}) == ["run", "--key=a-key"]


def test_golden_is_written_from_what_is_asked_only() -> None:
    before = (ROOT / "golden" / "golden.json").read_text()

    code, _, said = make("golden", "URL=http://127.0.0.1:9")

    assert code == 2
    assert said.startswith("error: nothing answers at http://127.0.0.1:9: [Errno 111] Connection refused; ")
    assert (ROOT / "golden" / "golden.json").read_text() == before
    assert json.loads(before)


def test_deploy_builds_with_the_words_of_make_image() -> None:
    given = {"MODEL": "my model", "ENV": "dev", "DOCKER_BUILD_FLAGS": "--network host", "BASE": "mine:1", "YES": "1"}

    assert arguments("deploy", given) == [
        *("deploy", "--env=dev", "--docker-build-flags=--network host", "--base=mine:1", "--yes"),
        *("--", "my model"),
    ]
