"""The program's commands: `serve`, `compile`, and `load` for the processes that it starts."""

import asyncio
import os
import socket
import sys
from pathlib import Path

from predictor.logs import configure_logging, log
from predictor.settings import Settings, SettingsError, worker_environ

USAGE = "usage: python -m predictor serve | compile MODEL_DIR --output DIR | describe MODEL_DIR"


def main(arguments: list[str]) -> int:
    """Run a command and return the exit code."""
    try:
        settings = Settings.from_environ(os.environ)
    except SettingsError as error:
        configure_logging("info")
        log.critical(str(error))
        return 2
    configure_logging(settings.log_level)
    match arguments:
        case [] | ["serve"]:
            from predictor.server.run import serve  # noqa: PLC0415  # each process imports what it needs

            return asyncio.run(serve(settings, worker_environ(os.environ)))
        case ["load", descriptor, *how]:
            from predictor.worker.fork_server import EACH, run_loader  # noqa: PLC0415  # as above

            return run_loader(settings, socket.socket(fileno=int(descriptor)), each=EACH in how)
        case ["compile", *rest]:
            os.environ.update(worker_environ(os.environ))  # its timings are of one worker among others
            from predictor.compile import command as compiler  # noqa: PLC0415  # as above

            return compiler.main(rest, settings.trusted_types)
        case ["describe", directory]:
            from predictor.models.base import Options  # noqa: PLC0415  # as above
            from predictor.worker import describe  # noqa: PLC0415  # as above

            return describe.main(Path(directory), Options(1, settings.program, settings.trusted_types))
    print(USAGE, file=sys.stderr)  # noqa: T201  # what the command prints
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
