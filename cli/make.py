"""Make's targets as commands of the program: `python -m cli.make TARGET` reads make's variables.

The variables come in the environment, so that neither make nor a shell reads what is in them.
"""

import ctypes
import shlex
import signal
import sys
from collections.abc import Mapping

from cli.failures import fail
from cli.program import main
from deployment.errors import UsageError
from deployment.settings import ENVIRON

# PR_SET_PDEATHSIG in linux/prctl.h
SET_PARENT_DEATH_SIGNAL = 1
# Of each target: the command, and for each variable its option; an empty option is the command's argument.
DOCKER = {"DOCKER": "--docker"}
CREDENTIALS = {"API_KEY": "--key", "KEY": "--key", "TOKEN": "--token"}
BUILDING = {"DOCKER_BUILD_FLAGS": "--docker-build-flags", "BASE": "--base"}
CHOSEN = {"MODEL": "", "ENV": "--env"}
TARGETS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "run": (
        "run",
        {
            "MODEL": "",
            "PORT": "--port",
            "RUNTIME_PORT": "--runtime-port",
            "CONTAINER_PORT": "--container-port",
            "API_KEY": "--key",
            "KEY": "--key",
        },
    ),
    "compile": ("compile", {"MODEL": "", "OUTPUT": "--output"}),
    "image": (
        "image",
        {
            "MODEL": "",
            "IMAGE": "--image",
            "EXTRAS": "--extras",
            "CONTEXT": "--context",
            "PLATFORM": "--platform",
        }
        | BUILDING
        | DOCKER,
    ),
    "push": ("push", {"IMAGE": "--image", "REPOSITORY": "--repository"} | DOCKER),
    "preflight": ("preflight", CHOSEN | {"IMAGE": "--image", "MODEL_DATA": "--artifact"} | DOCKER),
    "golden": ("golden", {"MODEL": "", "URL": "--url"} | CREDENTIALS),
    "smoke": ("smoke", {"URL": "--url"} | CREDENTIALS),
    "cost": ("costs", CHOSEN),
    "deploy": ("deploy", CHOSEN | BUILDING | DOCKER),
    "access": ("open", CHOSEN),
    "delete": ("delete", CHOSEN),
}
SWITCHES = {"SIGN": "--sign", "YES": "--yes"}
SWITCHED = {"golden": {"SIGN"}, "smoke": {"SIGN"}, "deploy": {"YES"}, "delete": {"YES"}}
WITH_PARAMETERS = frozenset({"preflight", "cost", "deploy"})
# A target that means an example where no model is named.
EXAMPLE = {"golden": "iris"}


def arguments(target: str, environ: Mapping[str, str]) -> list[str]:
    """Return the program's command line for a target; what is empty counts as not given."""
    command, variables = TARGETS[target]
    if "URL" in variables and environ.get("PORT"):
        environ = {"URL": f"http://127.0.0.1:{environ['PORT']}", **{k: v for k, v in environ.items() if v}}
    words = [command]
    # --option=value: a value that begins with a hyphen is no option.
    words += [f"{option}={environ[name]}" for name, option in variables.items() if option and environ.get(name)]
    words += [SWITCHES[name] for name in sorted(SWITCHED.get(target, ())) if environ.get(name)]
    if target in WITH_PARAMETERS:
        words += [f"--parameter={pair}" for pair in pairs(environ.get("PARAMETERS", ""))]
    positional = environ.get("MODEL") or EXAMPLE.get(target, "")
    if "MODEL" in variables and positional:
        words += ["--", positional]
    return words


def pairs(text: str) -> list[str]:
    """Return the words of PARAMETERS: quotes hold a value with blanks together, and nothing else has a meaning."""
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UsageError(f"PARAMETERS={text}: {error}; write a quote in a value as \\' or \\\"") from None


def end_with_make() -> None:
    """Have Linux end this process when make is killed: make is what has the process id that a user knows."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)


def run(target: str, environ: Mapping[str, str]) -> int:
    """Run a target."""
    end_with_make()
    try:
        words = arguments(target, environ)
    except UsageError as error:
        return fail(error)
    return main(words)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], ENVIRON))
