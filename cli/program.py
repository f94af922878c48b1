"""The program itself: its commands, and how it ends."""

import signal
from collections.abc import Sequence

import typer

from cli import account_commands, batch_command, local_commands
from cli.failures import EXIT_CODES, INTERRUPTED, fail

HELP = f"""From a model's folder to its URL.

A command takes the model's FOLDER and, where it concerns AWS, the environment --env. {EXIT_CODES}
"""

app = typer.Typer(
    name="model-api",
    help=HELP,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
local_commands.register(app)
batch_command.register(app)
account_commands.register(app)


def _interrupt(*_: object) -> None:
    """Leave as at Ctrl-C: what was started ends, too."""
    raise KeyboardInterrupt


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the program's exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        code = app(args=arguments, prog_name="model-api", standalone_mode=False)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # the one place where errors become sentences
        return fail(error)
    if code == INTERRUPTED:
        return fail(KeyboardInterrupt())
    return int(code or 0)
