"""A model's requirements.txt: resolved with the server's packages, or refused in words that name both sides."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from deployment import package_index
from deployment.errors import MissingToolError, PackagesError
from deployment.model_packages import LOCK, SERVER, Server, Target, lock, of_image, pins, requirements
from deployment.settings import TOOLS
from tests.deployment.packages import index, only_from, server
from tests.wheels import wheel

IMAGE = Target("3.13", "linux/amd64")
Lock = Callable[[], dict[str, str]]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = index(tmp_path_factory.mktemp("index") / "wheels")
    with only_from(folder):
        yield folder


@pytest.fixture
def ours(tmp_path: Path) -> Server:
    return server(tmp_path)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "Modell größe"
    folder.mkdir()
    return folder


def ask(model: Path, text: str, place: str = "requirements.txt") -> None:
    (model / place).parent.mkdir(exist_ok=True)
    (model / place).write_text(text)


@pytest.fixture
def locked(wheels: Path, ours: Server, model: Path) -> Lock:
    """The versions in the lock after resolving."""
    assert wheels.is_dir()

    def resolve() -> dict[str, str]:
        return pins(lock(model, IMAGE, model / LOCK, said.append, ours).read_text())

    said: list[str] = []
    return resolve


def test_the_packages_and_the_servers_own_are_locked_with_hashes(locked: Lock, model: Path) -> None:
    ask(model, "boosting\n")

    # boosting would take numerics 3.0, and goes with the version that the server has.
    assert locked() == {"boosting": "1.1", "numerics": "2.1", "quickjson": "2.0"}
    text = (model / LOCK).read_text()
    assert text.count("--hash=sha256:") == 3
    assert "Python 3.13 on linux/amd64" in text.splitlines()[0]
    assert str(model.parent) not in text


def test_the_file_in_code_is_read_as_well(locked: Lock, model: Path) -> None:
    ask(model, "boosting==1.0\n", "code/requirements.txt")

    assert locked()["boosting"] == "1.0"


def test_a_model_may_have_another_version_of_what_the_server_only_works_with(locked: Lock, model: Path) -> None:
    ask(model, "numerics==3.0\n")

    assert locked() == {"numerics": "3.0", "quickjson": "2.0"}


def test_a_current_lock_is_not_resolved_again(wheels: Path, ours: Server, model: Path) -> None:
    ask(model, "boosting\n")
    said: list[str] = []
    first = lock(model, IMAGE, model / LOCK, said.append, ours).stat().st_mtime_ns

    assert lock(model, IMAGE, model / LOCK, said.append, ours).stat().st_mtime_ns == first
    assert said == ["resolving requirements.txt for Python 3.13 on linux/amd64 ..."]
    assert wheels.is_dir()


@pytest.mark.parametrize("changed", ["requirements", "included", "server", "target"])
def test_it_is_resolved_again_when_something_changes(wheels: Path, ours: Server, model: Path, changed: str) -> None:
    assert wheels.is_dir()
    ask(model, "-r more.txt\n")
    ask(model, "boosting\n", "more.txt")
    said: list[str] = []
    lock(model, IMAGE, model / LOCK, said.append, ours)
    if changed == "requirements":
        ask(model, "-r more.txt\nnumerics\n")
    if changed == "included":
        ask(model, "boosting==1.0\n", "more.txt")
    if changed == "server":
        ours.lock.write_text("numerics==2.2\nquickjson==2.0\n")

    lock(model, Target("3.12", "linux/amd64") if changed == "target" else IMAGE, model / LOCK, said.append, ours)

    assert len(said) == 2


def test_what_was_locked_stays_when_another_line_is_added(locked: Lock, model: Path, wheels: Path) -> None:
    ask(model, "boosting==1.0\n")
    locked()
    ask(model, "boosting\nnumerics==2.2\n")

    assert locked() == {"boosting": "1.0", "numerics": "2.2", "quickjson": "2.0"}
    assert wheels.is_dir()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("quickjson<2\n", "requirements.txt needs quickjson 1.0, the server needs quickjson==2.0"),
        ("old-boosting\n", "old-boosting needs quickjson 1.0, the server needs quickjson==2.0"),
    ],
)
def test_a_conflict_with_the_server_names_both_sides(locked: Lock, model: Path, asked: str, told: str) -> None:
    ask(model, asked)

    with pytest.raises(PackagesError) as refused:
        locked()

    assert str(refused.value).startswith(f"the packages of {model / 'requirements.txt'} conflict with the server's own")
    assert told in str(refused.value)
    assert not (model / LOCK).exists()


@pytest.mark.parametrize("asked", ["no-such-package\n", "boosting==9\n", "boosting==\n"])
def test_what_cannot_be_had_is_one_line(locked: Lock, model: Path, asked: str) -> None:
    ask(model, asked)

    with pytest.raises(PackagesError, match=r"requirements\.txt cannot be resolved for Python 3\.13") as refused:
        locked()

    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("line", "better"),
    [
        ("boosting @ file:///croot/boosting_1/work", "boosting==VERSION"),
        ("-e .", "NAME==VERSION"),
        ("./boosting", "NAME==VERSION"),
        ("--find-links ./wheels", "NAME==VERSION"),
        ("git+https://example.com/boosting", "NAME==VERSION"),
    ],
)
def test_a_place_in_place_of_a_release_is_refused(locked: Lock, model: Path, line: str, better: str) -> None:
    ask(model, f"numerics\n{line}\n")

    with pytest.raises(PackagesError, match=rf"names a place and no release.*{re.escape(better)}"):
        locked()


@pytest.mark.parametrize("text", ["", "\n", "# numpy\n\n"])
def test_a_file_that_asks_for_nothing_counts_as_none(model: Path, text: str) -> None:
    ask(model, text)

    assert requirements(model) == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_file_as_windows_writes_it(locked: Lock, model: Path, encoding: str) -> None:
    (model / "requirements.txt").write_text("boosting\r\n", encoding)

    assert locked()["boosting"] == "1.1"


def test_the_lock_is_for_the_python_of_the_image() -> None:
    assert of_image() == IMAGE
    assert SERVER.bounds().keys() == {"httptools", "orjson", "pysimdjson", "numpy", "pandas", "scikit-learn"}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


def test_an_index_that_the_file_names_is_named_in_the_lock(locked: Lock, model: Path, tmp_path: Path) -> None:
    """Where the lock is installed, packages of that index have to be found as well."""
    (tmp_path / "more").mkdir()
    wheel(tmp_path / "more", "special", "1.0")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "more"))) as more:
        Thread(target=more.serve_forever, daemon=True).start()
        line = f"--find-links http://127.0.0.1:{more.server_port}/\n"
        ask(model, f"{line}special\n")

        assert locked()["special"] == "1.0"
        more.shutdown()

    assert line in (model / LOCK).read_text()


def test_settings_of_pip_count_for_uv() -> None:
    listed = (
        ":env:.disable-pip-version-check='1'\n"
        "global.index-url='https://index.example/simple'\n"
        "global.extra-index-url='\\nhttps://a.example\\nhttps://b.example\\nfile:///here'\n"
        "global.find-links='/wheels /more'\n"
    )

    assert package_index.translated(listed) == {
        "UV_DEFAULT_INDEX": "https://index.example/simple",
        "UV_INDEX": "https://a.example https://b.example",
    }


def test_settings_of_uv_go_before_those_of_pip() -> None:
    given = {"UV_INDEX": "https://mine.example", "PIP_INDEX_URL": "https://other.example", "VIRTUAL_ENV": "/venv"}

    expected = {"UV_INDEX": given["UV_INDEX"], "PIP_INDEX_URL": given["PIP_INDEX_URL"]}
    assert package_index.environment(given) == {**expected, "UV_PYTHON_DOWNLOADS": "never"}


def test_without_uv_the_command_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package_index, "UV", TOOLS / "none" / "uv")

    with pytest.raises(MissingToolError, match=r"make \.tools/none/uv"):
        package_index.environment({})
