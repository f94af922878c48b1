"""Whatever goes wrong, as one sentence with its remedy and one exit code: the one place for both."""

import os
import subprocess
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import httpx
from typer import Abort
from typer._click.exceptions import ClickException, UsageError

from cli.output import tell
from deployment.errors import CheckFailedError, DeploymentError
from deployment.session import Refusal, explain
from deployment.settings import ENVIRON
from golden.requests import GoldenFileError
from local.errors import ChainError
from sam_template import TemplateError

FOUND = 1
CANNOT_RUN = 2
INTERRUPTED = 130
EXIT_CODES = (
    "Exit codes: 0 done; 1 a check failed, or the question was answered no; 2 the command could not be run; 130 Ctrl-C."
)
TRACEBACK = "MODEL_API_TRACEBACK"


def explained(error: BaseException) -> str:
    """Return the sentence for an error."""
    for kinds, sentence in TABLE.items():
        if isinstance(error, kinds):
            return sentence(error)
    return f"a fault of this program: {type(error).__name__}: {error}; {TRACEBACK}=1 shows where, please report it"


def _of_usage(error: Any) -> str:
    command = error.ctx.command_path if error.ctx else "model-api"
    return f"{error.format_message().rstrip('.')}; see `{command} --help`"


def _of_time(error: Any) -> str:
    command = error.cmd if isinstance(error.cmd, str) else " ".join(map(str, error.cmd))
    return f"`{command[:200]}` did not end within {error.timeout:g} s; try again"


def _of_network(error: Any) -> str:
    return f"no answer: {str(error) or type(error).__name__}; check the network and try again"


def _of_system(error: Any) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}; check the path, its permissions and the space on the disk"


TABLE: Mapping[tuple[type[BaseException], ...], Callable[[Any], str]] = {
    # Each of these says itself what to do.
    (DeploymentError, GoldenFileError, ChainError, TemplateError): str,
    (UsageError,): _of_usage,
    (ClickException,): lambda error: error.format_message(),
    Refusal: explain,
    (subprocess.TimeoutExpired,): _of_time,
    (httpx.HTTPError, httpx.InvalidURL): _of_network,
    (OSError,): _of_system,
}


def fail(error: BaseException) -> int:
    """Print what went wrong; return the exit code."""
    if isinstance(error, KeyboardInterrupt):
        tell("interrupted; run the same command again to go on")
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        # Whoever read the output has gone; nothing more can be said to them.
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return FOUND
    if ENVIRON.get(TRACEBACK):
        traceback.print_exception(error)
    if isinstance(error, Abort | EOFError):
        tell("error: there was no answer to the question; give --yes where nobody can answer")
        return CANNOT_RUN
    tell(f"error: {explained(error)}")
    return FOUND if isinstance(error, CheckFailedError) else CANNOT_RUN
