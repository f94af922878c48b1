"""Which stack a command is about, from its arguments."""

from cli.local_commands import locate
from deployment.parameters import Stack, choose_stack
from deployment.session import Session, open_session


def choose(folder: str | None, environment: str | None, parameters: list[str] | None = None) -> Stack:
    """Return the stack of a model's folder, or of samconfig.toml."""
    return choose_stack(locate(folder) if folder else None, environment, parameters or [])


def session_of(stack: Stack) -> Session:
    """Return a session in the stack's region."""
    return open_session(stack.region)
