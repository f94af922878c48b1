import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import requests
from moto import mock_aws

from deployment.engine import Docker
from deployment.errors import ContainerError, ImageMissingError
from deployment.push import Login, content_tag, ecr_login, ensure_repository, push, push_image, pushed_digest
from tests.deployment.registry import PASSWORD, USER, registry

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

ROOT = Path(__file__).parents[2]
DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.fixture
def ecr(monkeypatch: pytest.MonkeyPatch) -> Iterator["ECRClient"]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield boto3.client("ecr", region_name="us-east-1")


def test_makes_a_repository_that_is_scanned_immutable_and_encrypted(ecr: "ECRClient") -> None:
    ensure_repository(ecr, "models/iris")

    (made,) = ecr.describe_repositories()["repositories"]
    assert (
        made["repositoryName"],
        made["imageTagMutability"],
        made["imageScanningConfiguration"],
        made["encryptionConfiguration"],
    ) == ("models/iris", "IMMUTABLE", {"scanOnPush": True}, {"encryptionType": "AES256"})


def test_leaves_a_repository_that_exists(ecr: "ECRClient", capsys: pytest.CaptureFixture[str]) -> None:
    ecr.create_repository(repositoryName="iris", imageTagMutability="MUTABLE")

    ensure_repository(ecr, "iris")

    (found,) = ecr.describe_repositories()["repositories"]
    assert found["imageTagMutability"] == "MUTABLE"
    assert capsys.readouterr().err == (
        "warning: the repository iris exists without immutable tags or without scan on push; it is left as it is\n"
    )


def test_logs_in_with_the_accounts_registry(ecr: "ECRClient") -> None:
    login = ecr_login(ecr)

    assert (login.registry, login.user) == ("123456789012.dkr.ecr.us-east-1.amazonaws.com", "AWS")
    assert login.password
    assert login.password not in repr(login)


def test_finds_an_image_that_was_pushed_before(ecr: "ECRClient") -> None:
    ensure_repository(ecr, "iris")
    layers: list[Any] = []
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    manifest = {"schemaVersion": 2, "mediaType": kind, "config": {"digest": DIGEST, "size": 1}, "layers": layers}
    put = ecr.put_image(repositoryName="iris", imageManifest=json.dumps(manifest), imageTag="abc")

    assert pushed_digest(ecr, "iris", "abc") == put["image"]["imageId"]["imageDigest"]
    assert pushed_digest(ecr, "iris", "other") is None


@pytest.fixture
def recording(tmp_path: Path) -> Callable[[], list[str]]:
    """Put a docker program in place that writes down how it is called; return what it wrote."""
    notes = tmp_path / "notes"
    inspected = json.dumps([{"Id": "sha256:abcdef0123456789", "RepoDigests": [f"registry.example/iris@{DIGEST}"]}])
    program = tmp_path / "docker"
    program.write_text(
        f'#!/bin/sh\necho "$*" >> {notes}\n'
        '[ "$1" = --config ] && shift 2\n'
        f'case "$1" in login) echo "stdin: $(cat)" >> {notes};; image) echo \'{inspected}\';; esac\n'
    )
    program.chmod(0o755)
    return lambda: notes.read_text().splitlines()


def test_the_docker_commands(ecr: "ECRClient", recording: Callable[[], list[str]], tmp_path: Path) -> None:
    login = Login("registry.example", "AWS", "secret-token")

    uri = push(Docker(str(tmp_path / "docker")), ecr, login, "serving-container", "iris")

    assert uri == f"registry.example/iris@{DIGEST}"
    login_line, stdin, push_line = recording()[2:5]
    folder = login_line.split()[1]
    assert recording() == [
        "image inspect serving-container",
        "tag serving-container registry.example/iris:abcdef012345",
        f"--config {folder} login --username AWS --password-stdin registry.example",
        "stdin: secret-token",
        f"--config {folder} push registry.example/iris:abcdef012345",
        "image inspect registry.example/iris:abcdef012345",
    ]
    assert (stdin, push_line.split()[0]) == ("stdin: secret-token", "--config")
    assert not Path(folder).exists()


def configure(monkeypatch: pytest.MonkeyPatch, folder: Path, config: dict[str, Any]) -> str:
    """Give Docker settings of the user; return their text."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    return (folder / "config.json").read_text()


@pytest.mark.parametrize("config", [{"credHelpers": {"registry.example": "ecr-login"}}, {"credsStore": "ecr-login"}])
def test_a_credential_helper_is_used_as_it_is(
    recording: Callable[[], list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: dict[str, Any]
) -> None:
    configure(monkeypatch, tmp_path / "settings", config)

    push_image(
        Docker(str(tmp_path / "docker")), Login("registry.example", "AWS", "x"), "iris", "registry.example/iris:1"
    )

    assert [line.split()[0] for line in recording()] == ["tag", "push", "image"]


def test_the_users_own_login_stays(
    recording: Callable[[], list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = configure(monkeypatch, tmp_path / "settings", {"auths": {"registry.example": {"auth": "bWU6bXk="}}})

    push_image(
        Docker(str(tmp_path / "docker")), Login("registry.example", "AWS", "x"), "iris", "registry.example/iris:1"
    )

    assert (tmp_path / "settings" / "config.json").read_text() == own
    assert "logout registry.example" not in recording()


@pytest.fixture(scope="module")
def program() -> str:
    found = shutil.which("docker-registry")
    if found is None:
        pytest.skip("no docker-registry on PATH (Debian: apt-get install docker-registry)")
    return found


@pytest.fixture
def local_registry(program: str, tmp_path: Path) -> Iterator[str]:
    with registry(program, tmp_path) as address:
        yield address


@pytest.fixture
def engine(docker: str) -> Docker:
    return Docker(docker)


@pytest.fixture
def image(engine: Docker, tmp_path: Path) -> Iterator[str]:
    """A small image of a content and a name of its own."""
    name = f"test-push-{uuid.uuid4()}"
    (tmp_path / "content").write_text(name)
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY content /\n")
    engine.run("build", "--network", "host", "--tag", name, str(tmp_path))
    yield name
    engine.run("image", "rm", "--force", engine.inspect("image", name)["Id"])


def test_pushes_to_a_registry_that_asks_for_a_password(engine: Docker, image: str, local_registry: str) -> None:
    login = Login(local_registry, USER, PASSWORD)
    tag = content_tag(engine, image)

    digest = push_image(engine, login, image, f"{local_registry}/iris:{tag}")

    manifest = requests.head(
        f"http://{local_registry}/v2/iris/manifests/{tag}",
        auth=(USER, PASSWORD),
        headers={"Accept": "application/vnd.docker.distribution.manifest.v2+json"},
        timeout=10,
    )
    assert manifest.headers["Docker-Content-Digest"] == digest
    configured = Path(os.environ.get("DOCKER_CONFIG", Path.home() / ".docker")) / "config.json"
    assert not configured.exists() or local_registry not in json.loads(configured.read_text()).get("auths", {})


def test_a_wrong_password_is_one_error_and_nothing_is_pushed(engine: Docker, image: str, local_registry: str) -> None:
    with pytest.raises(ContainerError, match=r"(?i)unauthorized"):
        push_image(engine, Login(local_registry, USER, "wrong"), image, f"{local_registry}/iris:1")

    listed = requests.get(f"http://{local_registry}/v2/_catalog", auth=(USER, PASSWORD), timeout=10).json()
    assert listed == {"repositories": []}


def test_an_image_that_was_not_built(engine: Docker) -> None:
    with pytest.raises(ImageMissingError, match="there is no image nothing; build it with `make image`"):
        content_tag(engine, "nothing")


def command(**environment: str) -> tuple[int, str, str]:
    ended = subprocess.run(
        [sys.executable, "-m", "cli", "push", "--image", "serving-container", "--repository", "iris"],
        cwd=ROOT,
        env={
            "HOME": "/nowhere",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return ended.returncode, ended.stdout, ended.stderr


def test_no_docker_is_one_line() -> None:
    install = "install it from https://docs.docker.com/get-started/get-docker/"

    assert command(PATH="/nowhere") == (2, "", f"error: there is no docker on PATH: {install}\n")


def test_an_engine_that_is_not_up_is_one_line(docker: str) -> None:
    code, printed, said = command(PATH=str(Path(docker).parent), DOCKER_HOST="unix:///nowhere.sock")

    assert (code, printed) == (2, "")
    assert said.startswith("error: the Docker engine does not answer, start it: Cannot connect to the Docker daemon at")
    assert said.count("\n") == 1


REGION = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}


def test_no_region_is_one_line(docker: str) -> None:
    said = "error: You must specify a region; set one, for instance AWS_REGION=eu-west-1\n"

    assert command(PATH=str(Path(docker).parent)) == (2, "", said)


def test_no_credentials_is_one_line(docker: str) -> None:
    advice = "set credentials and a region, for instance AWS_PROFILE and AWS_REGION"
    said = f"error: Unable to locate credentials; {advice}\n"

    assert command(PATH=str(Path(docker).parent), **REGION) == (2, "", said)


class Denying(BaseHTTPRequestHandler):
    """Answers as AWS does to a role that may do nothing."""

    def do_POST(self) -> None:
        body = b'{"__type": "AccessDeniedException", "message": "User: me is not authorized"}'
        self.send_response(400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def test_a_denial_names_the_permissions(docker: str) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    with ThreadingHTTPServer(("127.0.0.1", 0), Denying) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        code, printed, said = command(PATH=str(Path(docker).parent), AWS_ENDPOINT_URL_ECR=url, **REGION, **keys)
        server.shutdown()

    assert (code, printed) == (2, "")
    assert said.startswith("error: An error occurred (AccessDeniedException) when calling the GetAuthorizationToken")
    assert "needed are ecr:GetAuthorizationToken, " in said
    assert said.count("\n") == 1
