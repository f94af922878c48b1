"""The commands that ask about what is deployed: open, status, predict, logs, versions, list."""

import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import httpx
import typer

from cli import options
from cli.deploying import PERMISSIONS, print_access
from cli.output import show, show_json, show_table, tell
from cli.stack_arguments import choose, session_of
from deployment import inventory
from deployment.access import find_deployed, read_access
from deployment.credentials import choose as credentials
from deployment.errors import CheckFailedError, DeployFailedError, UnreadableError
from deployment.parameters import Stack
from deployment.releases import open_releases
from deployment.session import Session, account_errors, open_session

SECONDS = 60.0
JSON = "application/json"
MEDIA_TYPES = {".csv": "text/csv", ".json": JSON, ".jsonl": "application/jsonlines", ".npy": "application/x-npy"}


def open_(
    folder: options.Folder = None,
    *,
    env: options.Environment = None,
    as_json: options.Json = False,
) -> None:
    """Print a deployed API's URL, its key and a curl line."""
    stack = choose(folder, env)
    print_access(read_access(session_of(stack), stack.name), as_json=as_json)


def status(
    folder: options.Folder = None,
    *,
    env: options.Environment = None,
    as_json: options.Json = False,
) -> None:
    """Say how the stack, its endpoint and its alarms are."""
    stack = choose(folder, env)
    session = session_of(stack)
    with account_errors(PERMISSIONS):
        found = inventory.status(session, find_deployed(session, stack.name)) | last_release(session, stack)
    if as_json:
        show_json(found)
    else:
        show_table(("", ""), [(name, str(value)) for name, value in found.items()])


def last_release(session: Session, stack: Stack) -> dict[str, str]:
    """Return what the newest release was; nothing where none is recorded, as of stacks of samconfig.toml."""
    try:
        known = open_releases(session, stack.name).read()
    except DeployFailedError:
        return {}
    if not known:
        return {}
    newest = known[0]
    return {
        "release": f"{newest.number}, {newest.time}, by {newest.who}",
        "image": newest.image,
        "model": newest.model,
        "golden requests": newest.golden,
    }


def predict(
    folder: options.Folder = None,
    *,
    env: options.Environment = None,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="The body; by default, stdin.")] = None,
    media_type: Annotated[str, typer.Option("--type", help="Its media type, where the file's name does not say.")] = "",
    accept: Annotated[str, typer.Option(help="The media type of the answer.")] = "application/json",
    token: options.Token = "",
) -> None:
    """Send a body to the deployed API and print its answer."""
    stack = choose(folder, env)
    access = read_access(session_of(stack), stack.name)
    try:
        body = file.read_bytes() if file else sys.stdin.buffer.read()
    except OSError as error:
        raise UnreadableError(f"{file} cannot be read: {error.strerror}") from None
    kind = media_type or MEDIA_TYPES.get(file.suffix if file else "", JSON)
    auth = credentials(access.key, token, sign=access.auth == "iam")
    with httpx.Client(auth=auth, timeout=SECONDS) as client:
        answer = client.post(f"{access.url}/predict", content=body, headers={"Content-Type": kind, "Accept": accept})
    sys.stdout.buffer.write(answer.content)
    if not answer.is_success:
        raise CheckFailedError(f"{access.url} answered {answer.status_code}")


def logs(
    folder: options.Folder = None,
    *,
    env: options.Environment = None,
    minutes: Annotated[int, typer.Option(help="How far back.")] = 10,
    tier: Annotated[str, typer.Option(help="function, gateway or endpoint; by default all.")] = "",
    follow: Annotated[bool, typer.Option("--follow", help="Go on until Ctrl-C.")] = False,
) -> None:
    """Print the log lines of every tier, in the order of time."""
    stack = choose(folder, env)
    session = session_of(stack)
    groups = inventory.log_groups(stack, tier)
    since = int((time.time() - minutes * 60) * 1000)
    with account_errors(PERMISSIONS):
        find_deployed(session, stack.name)
        while True:
            for event in inventory.read_logs(session, groups, since):
                show(f"{event.time}  {event.tier:8}  {event.message}")
                since = max(since, event.milliseconds + 1)
            if not follow:
                return
            time.sleep(2)


def versions(
    folder: options.Folder = None,
    *,
    env: options.Environment = None,
    as_json: options.Json = False,
) -> None:
    """List the releases that `rollback` can go back to."""
    stack = choose(folder, env)
    with account_errors(PERMISSIONS):
        found = open_releases(session_of(stack), stack.name).read()
    if as_json:
        show_json([asdict(release) for release in found])
        return
    rows = [
        (str(item.number), item.time, item.who, item.image or "-", item.model or "-", item.golden) for item in found
    ]
    show_table(("release", "when", "who", "image", "model", "golden requests"), rows)


def list_(as_json: options.Json = False) -> None:  # noqa: FBT002  # an option of the command line
    """List every model and environment of this account and region."""
    with account_errors(PERMISSIONS):
        found = inventory.deployments(open_session())
    if as_json:
        show_json(found)
        return
    if not found:
        tell("nothing is deployed in this account and region")
    columns = ("model", "environment", "stack", "state", "changed")
    show_table(columns, [[str(item[column]) for column in columns] for item in found])
