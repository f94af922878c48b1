"""The image: from which base, for which processor, and what the model's own code finds in its environment."""

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sklearn.linear_model import LinearRegression

from cli import maintenance
from deployment import model_packages
from deployment.build import BASE, Build, build, copy, pinned_base
from deployment.engine import Docker
from deployment.errors import ContainerError, PackagesError, UsageError
from deployment.settings import ROOT, SERVING
from tests.deployment import packages

SECRETS = {
    "AWS_ACCESS_KEY_ID": "AKIA",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_SESSION_TOKEN": "token",
    "AWS_PROFILE": "mine",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.2",
    "GITHUB_TOKEN": "token",
}
# A model whose loading writes down what it finds: a pickle may run any code.
SPY = """
import json, os, pathlib
class Spy:
    def __reduce__(self):
        code = "open({file!r}, 'w').write(__import__('json').dumps(dict(__import__('os').environ)))"
        return (exec, (code,))
"""


@pytest.fixture
def spying(tmp_path: Path) -> Callable[[], dict[str, str]]:
    """A model that writes down the environment it is loaded in."""
    (tmp_path / "model").mkdir()
    seen = tmp_path / "seen.json"
    code = SPY.format(file=str(seen)) + "import pickle, sys; pickle.dump(Spy(), open(sys.argv[1], 'wb'))"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "model" / "model.pkl")], check=True)
    return lambda: dict(json.loads(seen.read_text()))


@pytest.mark.parametrize("target", ["image", "compile"])
def test_a_pickle_finds_no_credentials(target: str, spying: Callable[[], dict[str, str]], tmp_path: Path) -> None:
    inherited = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL"}}
    folders = (f"MODEL={tmp_path}/model", f"OUTPUT={tmp_path}/compiled", f"CONTEXT={tmp_path}/context")
    command = ["make", target, *folders, "DOCKER=true"]

    subprocess.run(command, cwd=ROOT, env=inherited | SECRETS, check=False, capture_output=True, timeout=120)

    assert SECRETS.keys() & spying().keys() == set()
    assert "PATH" in spying()


class Recorder:
    """A docker program that writes down how it is called; `words` answer what it is asked."""

    def __init__(
        self, folder: Path, *, arch: str = "amd64", buildx: bool = False, has: str = "", pull: int = 0
    ) -> None:
        self.notes = folder / "notes"
        program = folder / "docker"
        lines = (
            "#!/bin/sh",
            f'echo "$*" >> {self.notes}',
            'case "$1 $2" in',
            f"'version --format') echo linux/{arch};;",
            f"'buildx version') exit {int(not buildx)};;",
            f"'image inspect') [ \"$3\" = '{has}' ] || exit 1;;",
            f"'pull --quiet') exit {pull};;",
            "esac",
        )
        program.write_text("\n".join(lines))
        program.chmod(0o755)
        self.docker = Docker(str(program))

    def built(self) -> str:
        """The line of `docker build`."""
        (line,) = [line for line in self.notes.read_text().splitlines() if line.startswith("build ")]
        return line


def chosen(tmp_path: Path, **changed: Any) -> Build:
    model = tmp_path / "model"
    model.mkdir(exist_ok=True)
    (model / "model.pkl").write_bytes(pickle.dumps(LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])))
    values = {"image": "iris", "extras": "", "flags": "", "base": "", "platform": "linux/amd64"}
    return Build(**{"model": model, "context": tmp_path / "context", **values, **changed})


PINNED = BASE.findall((SERVING / "Dockerfile").read_text())[0]


def test_the_base_is_pinned_by_digest_in_one_place() -> None:
    tag, _, digest = PINNED.partition("@sha256:")

    assert tag.startswith("python:3.13-slim")
    assert len(digest) == 64
    named = [path for path in SERVING.rglob("*") if path.is_file() and digest in path.read_bytes().decode("latin-1")]
    assert named == [SERVING / "Dockerfile"]


def test_the_pinned_base_is_pulled(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)

    build(recorder.docker, chosen(tmp_path), print)

    assert f"--build-arg BASE={PINNED} " in recorder.built()


def test_without_a_registry_this_machines_own_base_is_taken_and_said(tmp_path: Path) -> None:
    said: list[str] = []
    tag = PINNED.partition("@")[0]

    assert pinned_base(Recorder(tmp_path, has=tag, pull=1).docker, said.append) == tag
    assert said == [f"warning: no registry has {PINNED}: built on this machine's own {tag}"]


def test_without_a_registry_and_a_base_it_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ContainerError):
        pinned_base(Recorder(tmp_path, pull=1).docker, print)


@pytest.mark.parametrize("given", [{"base": "mine:1"}, {"flags": "--build-arg BASE=mine:1"}])
def test_a_base_that_is_given_is_taken(tmp_path: Path, given: dict[str, str]) -> None:
    recorder = Recorder(tmp_path, pull=1)

    build(recorder.docker, chosen(tmp_path, **given), print)

    assert recorder.built().count("BASE=") == 1
    assert "BASE=mine:1" in recorder.built()


@pytest.mark.parametrize(
    ("arch", "platform", "expected"),
    [("arm64", "linux/amd64", True), ("amd64", "linux/amd64", False), ("amd64", "linux/arm64", True)],
)
def test_it_is_built_for_the_hostings_processor(tmp_path: Path, arch: str, platform: str, *, expected: bool) -> None:
    recorder = Recorder(tmp_path, arch=arch)

    build(recorder.docker, chosen(tmp_path, platform=platform), print)

    assert (f"--platform {platform}" in recorder.built()) is expected


def test_buildx_makes_one_image_without_attestations(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, buildx=True)

    build(recorder.docker, chosen(tmp_path), print)

    assert " --provenance=false --sbom=false --output=type=docker " in recorder.built()


def test_a_context_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "context").mkdir()
    (tmp_path / "context" / "thesis.tex").write_text("x")

    with pytest.raises(UsageError, match="holds other files, which would be lost"):
        copy(chosen(tmp_path))

    assert (tmp_path / "context" / "thesis.tex").exists()


def test_two_models_are_built_in_two_folders(tmp_path: Path) -> None:
    folders = set()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        folders.add(chosen(tmp_path / name, context=None).folder)

    assert len(folders) == 2
    assert all(folder.is_relative_to(ROOT / ".local") for folder in folders)


def test_folders_of_any_name(tmp_path: Path) -> None:
    recorder, name = Recorder(tmp_path), "Modell größe 1"
    (tmp_path / name).mkdir()

    build(recorder.docker, chosen(tmp_path / name), print)

    assert (tmp_path / name / "context" / "model" / "model.pkl").exists()


def own_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str) -> Build:
    """A model with requirements.txt, for a server whose packages are small wheels."""
    monkeypatch.setattr(model_packages.lock, "__defaults__", (packages.server(tmp_path),))
    build_of = chosen(tmp_path, extras="compile")
    (build_of.model / "requirements.txt").write_text(asked)
    return build_of


def test_own_packages_are_locked_and_go_into_the_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(tmp_path)
    wanted = own_packages(tmp_path, monkeypatch, "boosting\n")
    # It does not load here, where the model's packages are not.
    (wanted.model / "model.pkl").write_bytes(b"cboosting\nModel\n.")

    with packages.only_from(packages.index(tmp_path / "wheels")):
        build(recorder.docker, wanted, print)

    assert "boosting==1.1" in (wanted.model / "requirements.lock").read_text()
    assert (wanted.folder / "model" / "requirements.lock").is_file()
    # The file says what the model needs: no extra is added to those that are asked for.
    assert "EXTRAS=compile " in recorder.built()


def test_a_conflict_is_told_before_anything_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(tmp_path)
    wanted = own_packages(tmp_path, monkeypatch, "old-boosting\n")

    with packages.only_from(packages.index(tmp_path / "wheels")), pytest.raises(PackagesError, match="old-boosting"):
        build(recorder.docker, wanted, print)

    assert not recorder.notes.exists()


def test_own_packages_lie_in_a_layer_before_the_model() -> None:
    """Docker reuses a layer while what it is made of stays: another model file must not install packages again."""
    _, final = (SERVING / "Dockerfile").read_text().split("\nFROM ${BASE}\n")

    places = [final.index(word) for word in ("/opt/venv /opt/venv", "--require-hashes", "/opt/ml /opt/ml")]
    assert places == sorted(places)


class Hub(BaseHTTPRequestHandler):
    """Docker Hub, as far as the digest of a tag is asked for."""

    digest = f"sha256:{'ab' * 32}"

    def do_GET(self) -> None:
        self.answer(json.dumps({"token": "t"}).encode())

    def do_HEAD(self) -> None:
        assert self.headers["Authorization"] == "Bearer t"
        assert self.path == "/v2/library/python/manifests/3.13-slim"
        self.answer(b"")

    def answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Docker-Content-Digest", self.digest)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def hub() -> Any:
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_one_command_renews_the_base(
    hub: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text("ARG BASE=python:3.13-slim@sha256:old\nFROM ${BASE}\n")
    monkeypatch.setattr(maintenance, "DOCKERFILE", dockerfile)
    monkeypatch.setattr(maintenance.newest_digest, "__defaults__", (hub, f"{hub}/token?{{repository}}"))

    assert maintenance.base({}) == 0

    line = f"ARG BASE=python:3.13-slim@{Hub.digest}\n"
    assert capsys.readouterr().out == line
    assert dockerfile.read_text() == f"{line}FROM ${{BASE}}\n"


def test_a_hub_that_does_not_answer_is_one_line() -> None:
    with pytest.raises(maintenance.MaintenanceError, match="Docker Hub did not say the digest of python"):
        maintenance.newest_digest("python", "3.13-slim", "http://127.0.0.1:9", "http://127.0.0.1:9/{repository}")


def test_line_ends_are_kept(tmp_path: Path) -> None:
    """A checkout of someone whose git makes CRLF of line ends: the image's scripts must start all the same."""
    configured = ("-c", "core.autocrlf=true", "-c", "core.eol=crlf")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", *configured, "clone", "--quiet", "--no-local", str(ROOT), str(tmp_path / "clone")]
    subprocess.run(command, check=True, env=environment, timeout=120, capture_output=True)

    for name in ("serve", "Dockerfile", "requirements.txt"):
        assert b"\r" not in (tmp_path / "clone" / "serving-container" / name).read_bytes()
