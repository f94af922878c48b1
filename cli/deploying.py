"""The commands that change a stack: deploy, rollback, delete."""

import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Annotated

import typer

from cli import options
from cli.output import show, show_finding, show_json, tell
from cli.stack_arguments import choose, session_of
from deployment import cost, preflight, removal
from deployment.access import Access
from deployment.account import Account
from deployment.engine import find_docker
from deployment.errors import UsageError
from deployment.parameters import Stack
from deployment.releases import choose as choose_release
from deployment.releases import open_releases
from deployment.releasing import Releasing
from deployment.rules import check_rules
from deployment.session import Session, account_errors, identify
from deployment.stacks import Proposal, Stacks

PERMISSIONS = "those that `model-api preflight --policy` prints"
LOAD = cost.Load(function_seconds=0.03, model_seconds=0.02, body_bytes=2000)


def deploy(
    folder: options.Folder = None,
    *,
    env: options.Environment = None,
    parameter: options.Parameters = None,
    docker: options.Docker = "docker",
    flags: options.BuildFlags = "",
    base: options.Base = "",
    plan: Annotated[bool, typer.Option("--plan", help="Show on stdout what would change, and deploy nothing.")] = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Build, try, push, check, show what changes, ask, deploy, and ask the API its golden requests.

    Without FOLDER: deploy the stack that samconfig.toml names, with an image that was pushed before.
    """
    stack = choose(folder, env, parameter)
    session = session_of(stack)
    tell(f"account {identify(session)}")
    if stack.confirm and not (yes or plan):
        require_answers()
    releasing = start(session, stack, yes=yes)
    with account_errors(PERMISSIONS):
        if releasing.model:
            Stacks(session, tell).settle(stack.name)
            if releasing.needs_image():
                target = preflight.read_target(stack.parameters)
                releasing = releasing.with_image(find_docker(docker), target, flags, base)
            check(releasing)
        if plan:
            print_plan(releasing)
        else:
            print_access(releasing.change(), as_json=as_json)


def check(releasing: Releasing) -> None:
    """Check all that can be checked before the stack changes, and say what it costs; raises CheckFailedError."""
    stack = releasing.stack
    refused = check_rules(stack.template, stack.parameters)
    releasing.checked(refused, "the template refuses these parameters")
    account = Account(releasing.session)
    findings = preflight.check_parameters(stack, account)
    releasing.checked(list(findings), "the deployment would fail")
    prices = cost.read_prices()
    idle = sum(item.idle for item in cost.estimate(prices, stack, LOAD))
    tell(f"about {idle:.2f} USD a month while idle, by the prices of {prices.date}; see `model-api costs`")


def print_plan(releasing: Releasing) -> None:
    """Say on stdout what a deployment would change."""
    proposal = releasing.plan()
    if proposal:
        print_changes(proposal, show)
    else:
        show(f"{releasing.stack.name} is as it should be: nothing to change")


def start(session: Session, stack: Stack, *, yes: bool) -> Releasing:
    """Return the deployment of a stack, which asks as the options say."""

    def agree(proposal: Proposal) -> bool:
        print_changes(proposal, tell)
        return yes or not stack.confirm or confirm("Deploy these changes?")

    return Releasing(session, stack, tell, show_finding, agree)


def print_access(access: Access, *, as_json: bool) -> None:
    """Print what a caller needs."""
    if as_json:
        show_json(asdict(access))
    else:
        show(str(access).rstrip("\n"))


def print_changes(proposal: Proposal, say: Callable[[str], None]) -> None:
    """Say what will happen to which resource."""
    say(f"{proposal.stack} will be {'created' if proposal.creates else 'updated'}:")
    for item in proposal.changes:
        say(f"  {item}")


def rollback(
    folder: options.Folder = None,
    number: Annotated[int | None, typer.Argument(help="By default the last good one before the newest.")] = None,
    *,
    env: options.Environment = None,
    if_failed: Annotated[
        bool, typer.Option("--if-failed", help="Only where the newest release failed its golden requests.")
    ] = False,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Deploy an earlier release again: its code, its image and its parameters."""
    if folder is None:
        raise UsageError("name the model's FOLDER: only what was deployed from a folder has releases")
    stack = choose(folder, env)
    session = session_of(stack)
    tell(f"account {identify(session)}")
    with account_errors(PERMISSIONS):
        releases = open_releases(session, stack.name)
        known = releases.read()
        if if_failed and not (known and known[0].failed):
            tell("the newest release did not fail: nothing to go back from")
            return
        release = choose_release(known, number)
        tell(f"back to release {release.number} of {release.time}, by {release.who}, image {release.image or 'none'}")
        chosen = replace(stack, parameters=release.parameters)
        access = start(session, chosen, yes=yes).go_back(releases, release)
        print_access(access, as_json=as_json)


def delete(
    folder: options.Folder = None,
    *,
    env: options.Environment = None,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Delete the stack; say what went and what stays."""
    stack = choose(folder, env)
    session = session_of(stack)
    where = identify(session)
    with account_errors(PERMISSIONS):
        stacks = Stacks(session, tell)
        if stacks.find(stack.name) is None:
            tell(f"there is no stack {stack.name} in {where}: nothing was deleted")
            raise typer.Exit(1)
        tell(removal.announce(stack, where))
        if not (yes or confirm("Delete it?")):
            tell("nothing was deleted")
            raise typer.Exit(1)
        stacks.delete(stack.name)
    if as_json:
        show_json({"deleted": stack.name})
    else:
        show(removal.farewell(stack))


def confirm(question: str) -> bool:
    """Ask on stderr; raises Abort where nobody can answer."""
    require_answers()
    return typer.confirm(question, err=True)


def require_answers() -> None:
    """Raise Abort where nobody can answer a question: better before the work than after it."""
    if not sys.stdin.isatty():
        raise typer.Abort
