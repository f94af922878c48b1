"""What the user can set, and the places and names the chain uses."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.errors import ChainError
from local.signature import Account

ROOT = Path(__file__).parent.parent
STATE = ROOT / ".local"
TEMPLATE = ROOT / "template.yaml"
SERVING = ROOT / "serving-container"
ENDPOINT = "local"
# What a part of the chain was started with.
ENVIRON: Mapping[str, str] = os.environ
# Of the template's parameters, those that the local chain sets.
PARAMETERS = {"EndpointName": ENDPOINT, "DocsEnabled": "true", "Jobs": "on", "JobsEndpointName": "local-jobs"}
# CloudFormation names the bucket of jobs; here it has this name.
BUCKET = "jobs"
# Valid on this machine only; real ones never get near the local chain.
ACCOUNT = Account(access_key_id="local-access-key", region="us-east-1", secret_access_key="local-secret-key")  # noqa: S106  # a local key, printed for all


@dataclass(frozen=True, slots=True)
class Settings:
    """What `python -m local` was asked for; a port of 0 means any free one."""

    port: int
    runtime_port: int
    container_port: int
    model: str
    api_key: str | None
    print_model: bool = False
    # Whether the parts' log lines are shown as a person reads them, or as the JSON that they are.
    readable: bool = False


def read_settings(arguments: Sequence[str]) -> Settings:
    """Read the command line; a wrong one ends the process with its usage."""
    parser = argparse.ArgumentParser(prog="python -m local", description="Run the whole chain on this machine.")
    parser.add_argument("--port", type=_port, default=3000, help="the gateway's port (default: %(default)s)")
    parser.add_argument("--runtime-port", type=_port, default=8081, help="SageMaker runtime (default: %(default)s)")
    parser.add_argument("--container-port", type=_port, default=8080, help="serving container (default: %(default)s)")
    parser.add_argument("--model", default="iris", help="an example's name or a model directory (default: %(default)s)")
    parser.add_argument("--api-key", help="ask callers for this x-api-key, as the deployed API does (default: none)")
    parser.add_argument("--print-model", action="store_true", help="print the model's directory, and start nothing")
    parser.add_argument(
        "--logs",
        choices=("text", "json"),
        default=ENVIRON.get("LOGS") or ("text" if sys.stdout.isatty() else "json"),
        help="how log lines are shown (default: text on a terminal, else json; LOGS sets it too)",
    )
    chosen = vars(parser.parse_args(arguments))
    readable = chosen.pop("logs") == "text"
    return Settings(**chosen, readable=readable)


def read_account(environ: Mapping[str, str] = ENVIRON) -> Account:
    """Return the credentials that the runtime accepts."""
    names = ("AWS_ACCESS_KEY_ID", "AWS_REGION", "AWS_SECRET_ACCESS_KEY")
    for name in names:
        if not environ.get(name):
            raise ChainError(f"{name} is not set")
    return Account(*(environ[name] for name in names))


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > 65_535:  # noqa: PLR2004  # the highest port
        raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, not {text!r}")
    return int(text)
