"""The image as SageMaker runs it: built once, with the example model baked in, and started in each way there is."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.containers import Container, base, container, run

ROOT = Path(__file__).parents[2]
CONTEXT = ROOT / "serving-container"
# some machines reach the package index only from the host's network
BUILD_FLAGS = shlex.split(os.environ.get("DOCKER_BUILD_FLAGS", "--network host"))
ROWS = {"data": [[1, 2], [3, 4], [3, 3], [10, 1], [7, 8]]}
PUBLISH = ("--publish", "127.0.0.1::8080")


def train(example: str, directory: Path) -> Path:
    run(sys.executable, str(CONTEXT / "example" / "train.py"), example, "--output", str(directory))
    return directory


@pytest.fixture(scope="session")
def baked(docker: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An image of the tree as it is, with the iris model; unchanged layers come from Docker's cache."""
    context = tmp_path_factory.mktemp("image") / "context"
    shutil.copytree(CONTEXT, context, ignore=shutil.ignore_patterns("model", "__pycache__"))
    train("iris", context / "model")
    return build(docker, context)


def build(docker: str, context: Path) -> str:
    return run("env", "DOCKER_BUILDKIT=1", docker, "build", "--quiet", *BUILD_FLAGS, *base(docker), str(context))


@contextmanager
def started(docker: str, image: str, *command: str, options: tuple[str, ...] = ()) -> Iterator[tuple[Container, str]]:
    """A container that is ready, and its URL."""
    with container(docker, image, *command, options=(*PUBLISH, *options)) as box:
        url = box.url(8080)
        box.wait_for(f"{url}/ping")
        yield box, url


def predictions(url: str) -> list[object]:
    reply = requests.post(f"{url}/invocations", json=ROWS, timeout=60)
    assert reply.status_code == 200, reply.text
    found: list[object] = reply.json()["predictions"]
    return found


def finished(docker: str, image: str, *options: str) -> tuple[int, list[dict[str, object]]]:
    """Run a container to its end: its exit code, and the lines it wrote."""
    command = [docker, "run", "--rm", *options, image]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    return result.returncode, [json.loads(line) for line in (result.stdout + result.stderr).splitlines()]


@pytest.mark.parametrize("command", [("serve",), ()], ids=["serve", "plain"])
def test_the_baked_model_answers(docker: str, baked: str, command: tuple[str, ...]) -> None:
    with started(docker, baked, *command) as (_, url):
        assert len(predictions(url)) == 5


def test_a_mounted_model_replaces_the_baked_one(docker: str, baked: str, tmp_path: Path) -> None:
    model = train("breast-cancer", tmp_path / "model")
    tmp_path.chmod(0o755)
    with started(docker, baked, "serve", options=("--volume", f"{model}:/opt/ml/model:ro")) as (_, url):
        reply = requests.post(f"{url}/invocations", json={"data": [[0.5] * 30]}, timeout=60)

        assert (reply.status_code, len(reply.json()["predictions"])) == (200, 1)
        assert requests.post(f"{url}/invocations", json=ROWS, timeout=60).status_code == 400


def test_it_runs_as_any_user_with_a_read_only_root(docker: str, baked: str) -> None:
    options = ("--user", "1234:1234", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL")
    with started(docker, baked, "serve", options=options) as (_, url):
        assert len(predictions(url)) == 5


def test_it_listens_where_sagemaker_tells_it_to(docker: str, baked: str) -> None:
    options = ("--publish", "127.0.0.1::9999", "--env", "SAGEMAKER_BIND_TO_PORT=9999")
    with container(docker, baked, "serve", options=options) as box:
        box.wait_for(f"{box.url(9999)}/ping")

    label = "com.amazonaws.sagemaker.capabilities.accept-bind-to-port"
    labels = run(docker, "image", "inspect", "--format", "{{json .Config.Labels}}", baked)
    assert json.loads(labels)[label] == "true"


def test_sigterm_under_load_answers_all_and_exits_with_0(docker: str, baked: str) -> None:
    """Clients go on until they are told to close, or are refused a connection; anything else is a loss."""
    lost: list[BaseException | int] = []

    def ask(url: str) -> None:
        with requests.Session() as session:
            try:
                while True:
                    reply = session.post(f"{url}/invocations", json=ROWS, timeout=60)
                    if reply.status_code != 200:
                        lost.append(reply.status_code)
                    if reply.headers.get("Connection") == "close":
                        return
            except requests.RequestException as error:
                lost.append(error)

    with started(docker, baked, "serve") as (box, url):
        threads = [threading.Thread(target=ask, args=(url,)) for _ in range(16)]
        for thread in threads:
            thread.start()
        time.sleep(1)
        run(docker, "stop", "--time", "30", box.id)
        for thread in threads:
            thread.join()
        code = run(docker, "inspect", "--format", "{{.State.ExitCode}}", box.id)

    assert (code, lost) == ("0", [])


def test_a_worker_killed_in_the_container_is_replaced(docker: str, baked: str) -> None:
    with started(docker, baked, "serve") as (box, url):
        before = top(docker, box)
        subprocess.run(["kill", "-9", str(max(before))], check=True)
        deadline = time.monotonic() + 60
        while len(top(docker, box)) < len(before) or max(before) in top(docker, box):
            assert time.monotonic() < deadline
            time.sleep(0.1)

        assert len(predictions(url)) == 5


def test_settings_at_the_end_of_the_dockerfile(docker: str, tmp_path: Path) -> None:
    """As docs/settings.md has them."""
    (lines,) = re.findall(
        r"^```dockerfile\n(.*?)^```$", (ROOT / "docs/settings.md").read_text(), re.MULTILINE | re.DOTALL
    )
    shutil.copytree(CONTEXT, tmp_path / "context", ignore=shutil.ignore_patterns("model", "__pycache__"))
    with (tmp_path / "context" / "Dockerfile").open("a") as dockerfile:
        dockerfile.write(lines)
    script = (
        "import os; from predictor.settings import Settings; settings = Settings.from_environ(os.environ);"
        "print(settings.stuck_seconds, settings.host)"
    )

    printed = run(docker, "run", "--rm", build(docker, tmp_path / "context"), "python", "-c", script)

    assert printed == "120.0 0.0.0.0"


def top(docker: str, box: Container) -> list[int]:
    """Process ids, on this machine, of a container's processes."""
    return [int(line.split()[0]) for line in run(docker, "top", box.id, "-o", "pid").splitlines()[1:]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "holds no model"),
        (b"not a pickle", "model.pkl"),
        (b"cno_such_package\nModel\n.", "no_such_package"),
    ],
    ids=["missing", "corrupt", "missing dependency"],
)
def test_a_model_that_cannot_load_ends_it_with_one_line(
    docker: str, baked: str, tmp_path: Path, content: bytes | None, message: str
) -> None:
    if content:
        (tmp_path / "model.pkl").write_bytes(content)
    tmp_path.chmod(0o755)

    code, lines = finished(docker, baked, "--volume", f"{tmp_path}:/opt/ml/model:ro")

    assert code > 0
    assert [line["level"] for line in lines] == ["info", "critical"]
    assert message in str(lines[-1]["message"])


def test_there_is_no_compiler_and_everything_is_compiled_to_bytecode(docker: str, baked: str) -> None:
    script = (
        "import shutil, pathlib;"
        "print([name for name in ('cc', 'gcc', 'g++', 'make', 'cargo') if shutil.which(name)],"
        "[str(path) for root in ('/opt/program/predictor', '/opt/venv/lib')"
        " for path in pathlib.Path(root).rglob('*.py')"
        " if not list((path.parent / '__pycache__').glob(path.stem + '.*.pyc'))][:3])"
    )

    assert run(docker, "run", "--rm", baked, "python", "-c", script) == "[] []"
