"""What the user asked a command for, and where the golden requests lie."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from deployment.cost import Load
from deployment.credentials import Key, Token, sign_as_this_machine
from deployment.parameters import ROOT

GOLDEN = ROOT / "golden" / "golden.json"
API_KEY = "API_KEY"
TOKEN = "TOKEN"  # noqa: S105 - the variable's name


@dataclass(frozen=True, slots=True)
class Preflight:
    """`overrides` are parameters of the stack as Name=value; what is empty is not checked."""

    environment: str
    image: str
    model: Path | None
    artifact: Path | None
    golden: Path
    overrides: Sequence[str]


@dataclass(frozen=True, slots=True)
class Smoke:
    """The API's base URL and what to show it; without credentials it is asked as it stands."""

    url: str
    auth: httpx.Auth | None
    golden: Path


@dataclass(frozen=True, slots=True)
class Golden:
    """`model` is a directory with samples.csv; without it the requests of golden.json are asked again."""

    url: str
    auth: httpx.Auth | None
    golden: Path
    model: Path | None


@dataclass(frozen=True, slots=True)
class Cost:
    """What is assumed of the load."""

    environment: str
    load: Load
    overrides: Sequence[str]


@dataclass(frozen=True, slots=True)
class Overrides:
    """What `sam deploy` is to be given: an option of its own would replace what samconfig.toml says."""

    environment: str
    overrides: Sequence[str]


@dataclass(frozen=True, slots=True)
class Identity:
    """Which account a command of the SAM CLI would reach."""


Settings = Preflight | Smoke | Golden | Overrides | Cost | Identity


def read_settings(arguments: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Read the command line; a wrong one ends the process with its usage."""
    values = vars(_parser(environ).parse_args(arguments))
    match values.pop("command"):
        case "preflight":
            return Preflight(**values)
        case "smoke":
            return Smoke(auth=_auth(values), **values)
        case "golden":
            return Golden(auth=_auth(values), **values)
        case "overrides":
            return Overrides(**values)
        case "account":
            return Identity()
    load = Load(values.pop("function_ms") / 1000, values.pop("model_ms") / 1000, values.pop("body_bytes"))
    return Cost(load=load, **values)


def _auth(values: dict[str, Any]) -> httpx.Auth | None:
    """Take what was given as credentials out of `values`."""
    key, token, sign = values.pop("key"), values.pop("token"), values.pop("sign")
    if sign:
        return sign_as_this_machine()
    if token:
        return Token(token)
    return Key(key) if key else None


def _parser(environ: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deployment", description="What comes before and after `sam deploy`."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    preflight = commands.add_parser("preflight", help="check what would otherwise fail while the stack is made")
    preflight.add_argument("--image", default="", help="local image, started and asked as SageMaker would")
    preflight.add_argument("--model", type=_path, help="model directory, mounted at /opt/ml/model")
    preflight.add_argument("--artifact", type=_path, help="model.tar.gz")
    cost = commands.add_parser("cost", help="estimate what the parameters cost")
    cost.add_argument("--function-ms", type=float, default=30, help="in the invoker (default: %(default)s)")
    cost.add_argument("--model-ms", type=float, default=20, help="serverless: in the model (default: %(default)s)")
    cost.add_argument("--body-bytes", type=int, default=2000, help="request and answer (default: %(default)s)")
    commands.add_parser("account", help="say which account and region the credentials of this machine are for")
    overrides = commands.add_parser("overrides", help="print what `sam deploy --parameter-overrides` is to be given")
    for command in (preflight, cost, overrides):
        command.add_argument("--environment", default="default", help="of samconfig.toml (default: %(default)s)")
        command.add_argument("overrides", nargs="*", metavar="Name=value", help="parameters of the stack")
    smoke = commands.add_parser("smoke", help="golden requests against a deployed API")
    golden = commands.add_parser("golden", help="write golden.json from what an API answers")
    golden.add_argument("--model", type=_path, help="model directory with samples.csv; default: golden.json's requests")
    for command in (smoke, golden):
        command.add_argument("--url", type=_url, required=True, help="base URL: the stack's output ApiUrl")
        # A key on the command line is seen by everybody on the machine, so the environment is the other way.
        command.add_argument("--key", default=environ.get(API_KEY, ""), help=f"API key (default: ${API_KEY})")
        command.add_argument("--token", default=environ.get(TOKEN, ""), help=f"Authorization (default: ${TOKEN})")
        command.add_argument("--sign", action="store_true", help="sign with the AWS credentials of this machine")
    for command in (preflight, smoke, golden):
        command.add_argument("--golden", type=Path, default=GOLDEN, help="(default: golden/golden.json)")
    return parser


def _path(text: str) -> Path | None:
    """Make passes an empty text for what was not given."""
    return Path(text).expanduser() if text else None


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"expected http://... or https://..., not {text!r}")
    return text.rstrip("/")
