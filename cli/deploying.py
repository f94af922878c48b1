"""`model-api deploy`: everything from a model's folder to its URL."""

import sys
from dataclasses import asdict

import typer

from cli import options
from cli.output import show, show_json, tell
from cli.stack_arguments import choose, session_of
from deployment import sam
from deployment.access import Access, read_access
from deployment.parameters import Stack
from deployment.session import Session, account_errors, identify, open_session
from deployment.stacks import Proposal, Stacks

PERMISSIONS = "those of docs/deploying.md"
__all__ = ["PERMISSIONS", "account_errors", "confirm", "deploy", "open_session"]


def deploy(
    folder: options.Folder = None,
    *,
    env: options.Environment = None,
    parameter: options.Parameters = None,
    yes: options.Yes = False,
    as_json: options.Json = False,
) -> None:
    """Build, show what changes, ask, and deploy."""
    stack = choose(folder, env, parameter)
    session = session_of(stack)
    tell(f"account {identify(session)}")
    with account_errors(PERMISSIONS):
        access = change(session, stack, yes=yes)
    if as_json:
        show_json(asdict(access))
    else:
        show(str(access).rstrip("\n"))


def change(session: Session, stack: Stack, *, yes: bool) -> Access:
    """Bring the stack to where its parameters say that it should be."""
    stacks = Stacks(session, tell)
    stacks.settle(stack.name)
    proposal = stacks.propose(stack, sam.package(stack.name, session.region_name, None, tell))
    if proposal is None:
        tell(f"{stack.name} is as it should be: nothing to change")
        return read_access(session, stack.name)
    print_changes(proposal)
    if stack.confirm and not yes and not confirm("Deploy these changes?"):
        stacks.discard(proposal)
        tell("nothing was deployed")
        raise typer.Exit(1)
    stacks.execute(proposal)
    return read_access(session, stack.name)


def print_changes(proposal: Proposal) -> None:
    """Say on stderr what will happen to which resource."""
    tell(f"{proposal.stack} will be {'created' if proposal.creates else 'updated'}:")
    for item in proposal.changes:
        tell(f"  {item}")


def confirm(question: str) -> bool:
    """Ask on stderr; raises Abort where nobody can answer."""
    if not sys.stdin.isatty():
        raise typer.Abort
    return typer.confirm(question, err=True)
