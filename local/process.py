"""One part of the chain as a process of its own, that does not outlive the chain."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

# PR_SET_PDEATHSIG in linux/prctl.h
_SET_PARENT_DEATH_SIGNAL = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
STOP_SECONDS = 35.0  # SageMaker gives a container 30 s to leave


@dataclass(frozen=True, slots=True)
class Command:
    """What to run: its name in messages, its arguments and the whole of its environment."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    directory: Path
    sockets: tuple[int, ...] = ()
    quiet: bool = False


class Process:
    """A running command and whatever processes it starts."""

    def __init__(self, command: Command, output: int | None = None) -> None:
        """Start it; `output` is the file that its stdout and stderr go to, in place of the chain's own."""
        self.name = command.name
        # A session of its own: Ctrl-C reaches the chain only, which then stops its parts in order.
        self._popen = subprocess.Popen(  # noqa: S603  # the chain's own commands
            command.arguments,
            cwd=command.directory,
            env=dict(command.environment),
            pass_fds=command.sockets,
            stdout=subprocess.DEVNULL if command.quiet else output,
            stderr=output,
            start_new_session=True,
            preexec_fn=_leave_with_parent,  # noqa: PLW1509  # the chain has one thread
        )

    @property
    def exit_code(self) -> int | None:
        """The exit code, or None while it runs."""
        return self._popen.poll()

    def wait(self) -> int:
        """Return the exit code as soon as there is one."""
        return self._popen.wait()

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """End the process: politely, then by force; and whatever it leaves behind."""
        self._popen.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._popen.wait(seconds)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()


def run_to_end(command: Command) -> int:
    """Run a command that ends by itself; return its exit code."""
    process = Process(command)
    try:
        return process.wait()
    finally:
        process.stop()


def _leave_with_parent() -> None:
    """Have Linux send SIGTERM when the chain is killed and cannot stop its parts itself."""
    if _LIBC is not None:
        _LIBC.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
