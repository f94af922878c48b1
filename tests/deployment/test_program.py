"""The program: its help, its exit codes, and one sentence for whatever goes wrong."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from cli.failures import fail
from deployment.errors import CheckFailedError, UsageError
from deployment.settings import ROOT

KEYS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "eu-west-1",
    "AWS_MAX_ATTEMPTS": "1",
}
NOWHERE = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
# Of each command that asks AWS first of all; the folder is an example's.
ASKING = {
    "deploy": ("--yes", "--parameter", "Hosting=existing", "--parameter", "EndpointName=iris"),
    "open": (),
    "status": (),
    "versions": (),
    "rollback": ("--yes",),
    "logs": (),
    "delete": ("--yes",),
}


def environment(**more: str) -> dict[str, str]:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME")}
    return {**inherited, **NOWHERE, "PYTHONPATH": str(ROOT), **more}


def program(*arguments: str, **more: str) -> tuple[int, str, str]:
    ended = subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        cwd=more.pop("CWD", str(ROOT)),
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return ended.returncode, ended.stdout, ended.stderr


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("folder") / "iris"
    folder.mkdir()
    (folder / "model.json").write_text("{}")
    return str(folder)


def test_every_command_has_a_help_that_reads_well() -> None:
    _, shown, _ = program("--help")
    commands = re.findall(r"^│ ([a-z]+) +[A-Z]", shown, re.MULTILINE)

    assert {"run", "image", "deploy", "rollback", "versions", "list", "smoke", "logs", "predict"} <= set(commands)
    assert "Exit codes" in shown
    assert len(commands) == len(set(commands))


def test_every_command_that_the_page_names_is_there() -> None:
    page = (ROOT / "docs" / "deploying.md").read_text()
    _, shown, _ = program("--help")

    named = set(re.findall(r"model-api ([a-z]+)", page))
    assert named - set(re.findall(r"^│ ([a-z]+) ", shown, re.MULTILINE)) == set()


def test_it_runs_from_any_folder(tmp_path: Path) -> None:
    code, printed, _ = program("costs", "--json", CWD=str(tmp_path))

    assert code == 0
    assert {item["name"] for item in json.loads(printed)["items"]} >= {"API Gateway", "Lambda (invoker)"}


def test_the_policy_of_who_deploys() -> None:
    _, printed, _ = program("preflight", "--policy", "--parameter", "Waf=true", "--parameter", "EndpointName=iris")

    policy = json.loads(printed)
    assert "wafv2:CreateWebACL" in policy["Statement"][0]["Action"]
    assert not {"sagemaker:CreateEndpoint", "ecr:PutImage"} & set(policy["Statement"][0]["Action"])


class Answer(BaseHTTPRequestHandler):
    """Answers every call of AWS alike."""

    status = 200
    body = b""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    do_GET = do_POST  # noqa: N815  # the standard library's name

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def answering(status: int, body: str) -> Iterator[str]:
    handler = type("Handler", (Answer,), {"status": status, "body": body.encode()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def query_error(code: str, message: str) -> str:
    return f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"


HTML = "<!DOCTYPE html><html><body><h1>Access to this site is blocked</h1></body></html>"
ANSWERS = {
    "a proxy's page": (200, HTML, "something on the way, such as a proxy, answered instead"),
    "throttling": (400, query_error("Throttling", "Rate exceeded"), "wait a minute and try again"),
    "an expired token": (403, query_error("ExpiredToken", "The token is expired"), "sign in again"),
    "a refusal": (403, query_error("AccessDenied", "not authorized"), "needed are"),
}


@pytest.mark.parametrize("command", ASKING)
@pytest.mark.parametrize("answer", ANSWERS)
def test_what_aws_answers_is_one_sentence(command: str, answer: str, model: str) -> None:
    status, body, words = ANSWERS[answer]
    with answering(status, body) as url:
        code, _, said = program(command, model, *ASKING[command], AWS_ENDPOINT_URL=url, **KEYS)

    lines = [line for line in said.splitlines() if line.startswith("error: ")]
    assert (code, len(lines)) == (2, 1), said
    assert words in lines[0], said
    assert "Traceback" not in said


@pytest.mark.parametrize("command", ["deploy", "status"])
def test_no_network_is_one_sentence(command: str, model: str) -> None:
    code, _, said = program(command, model, *ASKING[command], AWS_ENDPOINT_URL="http://127.0.0.1:9", **KEYS)

    assert (code, said.count("error: "), "check AWS_REGION and the network" in said) == (2, 1, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("deploy", "/nowhere"), "is not a directory"),
        (("deploy", "{model}", "--env", "Bad Env"), "call it 'bad-env'"),
        (("deploy", "{model}", "--parameter", "Nope=1"), "template.yaml has no parameter Nope"),
        (("deploy", "{model}", "--parameter", "Nope"), "expected Name=value, not Nope"),
        (("rollback",), "name the model's FOLDER"),
        (("smoke", "--url", "example.com"), "expected a URL"),
        (("run", "--port", "x"), "see `model-api run --help`"),
        (("nope",), "No such command 'nope'"),
        (("logs", "{model}", "--tier", "cellar"), "there is no tier cellar"),
    ],
)
def test_a_wrong_command_line_is_one_sentence(arguments: tuple[str, ...], words: str, model: str) -> None:
    code, printed, said = program(*(word.format(model=model) for word in arguments), **KEYS)

    assert (code, printed, words in said) == (2, "", True), said
    assert said.startswith("error: ")
    assert "Traceback" not in said


def test_a_deployment_that_nobody_can_agree_to_does_nothing(model: str) -> None:
    with answering(200, identity()) as url:
        code, _, said = program("deploy", model, AWS_ENDPOINT_URL=url, **KEYS)

    assert (code, said.splitlines()[-1].partition(";")[2].strip()) == (2, "give --yes where nobody can answer")


def identity() -> str:
    result = "<Arn>arn:aws:iam::123456789012:user/a</Arn><UserId>a</UserId><Account>123456789012</Account>"
    answer = f"<GetCallerIdentityResult>{result}</GetCallerIdentityResult>"
    return f"<GetCallerIdentityResponse>{answer}</GetCallerIdentityResponse>"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_is_one_sentence(number: signal.Signals, model: str) -> None:
    class Hanging(Answer):
        def do_POST(self) -> None:
            time.sleep(30)

    with ThreadingHTTPServer(("127.0.0.1", 0), Hanging) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", "status", model],
            cwd=ROOT,
            env=environment(AWS_ENDPOINT_URL=url, **KEYS),
            stderr=subprocess.PIPE,
            text=True,
        )
        time.sleep(6)
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
        server.shutdown()

    assert (process.returncode, said) == (130, "interrupted; run the same command again to go on\n")


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (CheckFailedError("two failed"), 1, "error: two failed\n"),
        (UsageError("no"), 2, "error: no\n"),
        (OSError(28, "No space left on device", "/x"), 2, "error: /x: No space left on device; check the path"),
        (subprocess.TimeoutExpired(["docker", "version"], 30), 2, "error: `docker version` did not end within 30 s"),
        (ZeroDivisionError("division by zero"), 2, "error: a fault of this program: ZeroDivisionError"),
        (KeyboardInterrupt(), 130, "interrupted; "),
        (EOFError(), 2, "error: there was no answer to the question; give --yes"),
    ],
)
def test_each_error_has_its_sentence_and_code(
    error: BaseException, code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fail(error) == code
    assert capsys.readouterr().err.startswith(words)
