"""The Python that a model runs on: built once for its packages, from its lock or, on another Python, from the cache."""

import fcntl
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deployment import model_packages
from deployment.model_packages import LOCK, of_this_python
from local import environment
from local.environment import find_python
from local.errors import ChainError
from local.process import run_to_end
from local.settings import ROOT, SERVING
from tests.deployment.packages import index, only_from, server
from tests.serving.processes import wait_until

Find = Callable[[Path], Path]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = index(tmp_path_factory.mktemp("index") / "wheels")
    with only_from(folder):
        yield folder


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def find(wheels: Path, tmp_path: Path, said: list[str]) -> Find:
    assert wheels.is_dir()
    return lambda model: find_python(model, run_to_end, said.append, server(tmp_path), tmp_path / "cache")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "Modell größe"
    folder.mkdir()
    (folder / "requirements.txt").write_text("boosting\n")
    return folder


def version(python: Path, module: str) -> str:
    command = [str(python), "-c", f"import {module}; print({module}.VERSION)"]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)
    return shown.stdout.strip()


def test_without_the_file_it_is_this_python(tmp_path: Path, said: list[str]) -> None:
    assert find_python(tmp_path, run_to_end, said.append) == Path(sys.executable)
    assert said == []


def test_on_another_python_than_the_images_the_lock_stays(
    find: Find, model: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "of_image", lambda: model_packages.Target("3.99", "linux/amd64"))
    (model / LOCK).write_text("the image's")

    python = find(model)

    assert (version(python, "boosting"), version(python, "numerics")) == ("1.1", "2.1")
    assert version(python, "sklearn") == ""
    assert (model / LOCK).read_text() == "the image's"
    assert "the image has Python 3.99 on linux/amd64" in said[0]
    assert [line.partition(" ")[0] for line in said] == ["this", "resolving", "building"]


def test_on_the_images_python_the_lock_is_written_and_the_environment_built_once(
    find: Find, model: Path, said: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(environment, "of_image", of_this_python)
    python = find(model)
    assert (model / LOCK).is_file()
    said.clear()

    assert find(model) == python
    assert said == []
    # Another model with the same packages, wherever its folder lies.
    other = tmp_path / "other"
    other.mkdir()
    (other / "requirements.txt").write_text("# gradient boosting\nboosting\n")
    assert find(other) == python
    assert [line.partition(" ")[0] for line in said] == ["resolving"]


def test_a_build_that_was_broken_off_is_begun_again(find: Find, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "of_image", of_this_python)
    python = find(model)
    (python.parents[1] / environment.WHOLE).unlink()
    (python.parents[1] / "pyvenv.cfg").unlink()

    assert version(find(model), "boosting") == "1.1"


def test_another_command_that_builds_it_is_waited_for(
    find: Find, model: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "of_image", of_this_python)
    python = find(model)
    said.clear()
    with python.parents[1].with_suffix(".building").open("w") as held, ThreadPoolExecutor() as pool:
        fcntl.flock(held, fcntl.LOCK_EX)
        waiting = pool.submit(find, model)
        wait_until(lambda: bool(said))
        fcntl.flock(held, fcntl.LOCK_UN)
        assert waiting.result() == python
    assert said == ["another command builds the environment of these packages: waiting for it ..."]


def test_a_conflict_is_told_with_its_cause_and_remedy(find: Find, model: Path) -> None:
    (model / "requirements.txt").write_text("old-boosting\n")

    with pytest.raises(ChainError) as refused:
        find(model)

    served, cause, remedy = str(refused.value).splitlines()
    assert served == f"the model in {model} cannot be served"
    assert cause.endswith("old-boosting needs quickjson 1.0, the server needs quickjson==2.0")
    assert remedy.startswith("  remedy: change or remove that line")


def test_the_sample_is_found_with_the_servers_packages_alone() -> None:
    """A model's environment holds what the image holds, and nothing that the project's own tools need."""
    others = ("boto3", "botocore", "httpx", "jsonschema", "yaml", "starlette", "uvicorn", "rich", "typer")
    program = f"import sys; sys.modules.update(dict.fromkeys({others})); import local.sample"

    command, environ = [sys.executable, "-c", program], {"PYTHONPATH": str(SERVING)}
    ended = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stderr
