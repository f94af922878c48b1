"""What a user reads whose credentials, profile or region are not right: one line, of every command that asks AWS."""

import os
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, SSOTokenLoadError

from deployment.errors import AccountError
from deployment.session import account_errors

ROOT = Path(__file__).parents[2]
STACK = "PARAMETERS=EndpointName=iris"
COMMANDS = {
    "access": ("access",),
    "push": ("push",),
    "smoke": ("smoke", "SIGN=1", "URL=http://127.0.0.1:9"),
    "golden": ("golden", "SIGN=1", "URL=http://127.0.0.1:9"),
    "preflight": ("preflight", STACK),
    "deploy": ("deploy", STACK),
    "delete": ("delete", "YES=1"),
}
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
REGION = {"AWS_REGION": "eu-west-1"}


def make(command: str, **environment: str) -> tuple[int, str]:
    """The exit code of a make target and what it prints, but for make's own last line."""
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    inherited = {name: os.environ[name] for name in ("PATH", "HOME")}
    ended = subprocess.run(
        ["make", "--no-print-directory", *COMMANDS[command]],
        cwd=ROOT,
        env={**inherited, **nowhere, "AWS_EC2_METADATA_DISABLED": "true", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    lines = [line for line in ended.stdout.splitlines() if not line.startswith("make: ***")]
    return ended.returncode, "\n".join(lines)


@pytest.mark.parametrize("command", ["access", "smoke", "golden", "preflight", "deploy", "delete"])
def test_a_profile_that_is_not_there(command: str) -> None:
    assert make(command, AWS_PROFILE="nope") == (
        2,
        "error: The config profile (nope) could not be found; set AWS_PROFILE to one of `aws configure list-profiles`",
    )


@pytest.mark.parametrize("command", ["access", "smoke", "golden", "deploy", "delete"])
def test_no_credentials(command: str) -> None:
    assert make(command, **REGION) == (
        2,
        "error: Unable to locate credentials; set credentials and a region, for instance AWS_PROFILE and AWS_REGION",
    )


@pytest.mark.parametrize("command", ["access", "smoke", "golden", "deploy", "delete"])
def test_no_region(command: str) -> None:
    assert make(command, **KEYS) == (
        2,
        "error: You must specify a region; set one, for instance AWS_REGION=eu-west-1",
    )


def test_preflight_goes_on_without_credentials() -> None:
    code, said = make("preflight", **REGION)

    assert code == 0
    assert "skipped  account: not asked: Unable to locate credentials\n" in said
    assert "Traceback" not in said


def test_preflight_goes_on_without_a_region() -> None:
    code, said = make("preflight", **KEYS)

    assert code == 0
    assert said.count("You must specify a region") == 1


def test_the_estimate_asks_no_account() -> None:
    ended = subprocess.run(
        ["make", "--no-print-directory", "cost"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "AWS_PROFILE": "nope"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )

    assert ended.stdout.startswith("USD ")


class Expired(BaseHTTPRequestHandler):
    """Answers as AWS's query services do to a token of yesterday, and remembers what was signed."""

    scopes: tuple[str, ...] = ()

    def do_POST(self) -> None:
        scope = self.headers["Authorization"].split("Credential=")[1].split(",")[0]
        type(self).scopes += (scope.partition("/")[2].partition("/")[2],)
        self.rfile.read(int(self.headers["Content-Length"]))
        code = "<Code>ExpiredToken</Code><Message>The security token included in the request is expired</Message>"
        body = f"<ErrorResponse><Error>{code}</Error></ErrorResponse>".encode()
        self.send_response(403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def expired() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Expired) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


SIGN_IN = "sign in again, for instance with `aws sso login`, or renew the keys"


def test_an_expired_token(expired: str) -> None:
    code, said = make("access", AWS_ENDPOINT_URL=expired, AWS_SESSION_TOKEN="old", **KEYS, **REGION)

    operation = "when calling the DescribeStacks operation: The security token included in the request is expired"
    assert (code, said) == (2, f"error: An error occurred (ExpiredToken) {operation}; {SIGN_IN}")


def test_an_expired_token_is_an_error_of_preflight(expired: str) -> None:
    code, said = make("preflight", AWS_ENDPOINT_URL=expired, AWS_SESSION_TOKEN="old", **KEYS, **REGION)

    assert code == 2  # make's own, of any failure
    assert "error    account: An error occurred (ExpiredToken)" in said
    assert f"-> {SIGN_IN}" in said


def test_aws_region_is_the_region_that_is_asked(expired: str) -> None:
    before = len(Expired.scopes)

    make("access", AWS_ENDPOINT_URL=expired, **KEYS, AWS_REGION="eu-west-1", AWS_DEFAULT_REGION="us-east-1")

    assert Expired.scopes[before:] == ("eu-west-1/cloudformation/aws4_request",)


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (SSOTokenLoadError(error_msg="no token"), SIGN_IN),
        (EndpointConnectionError(endpoint_url="https://sts.nowhere"), "check AWS_REGION and the network"),
        (ClientError({"Error": {"Code": "AccessDenied"}}, "Get"), "needed are things"),
        (ClientError({"Error": {"Code": "UnrecognizedClientException"}}, "Get"), SIGN_IN),
    ],
)
def test_what_to_do(reason: Exception, said: str) -> None:
    with pytest.raises(AccountError) as caught, account_errors("things"):
        raise reason

    assert str(caught.value).endswith(f"; {said}")
