"""Which of the image's extras a model needs, found out by loading it where all of them are installed.

`python -m predictor.worker.extras MODEL_DIR [EXTRA ...]` prints the extras asked for and those the model needs.
"""

import os
import platform
import sys
from contextlib import redirect_stdout
from pathlib import Path

from predictor.errors import ModelLoadError
from predictor.models.load_errors import EXTRAS
from predictor.worker.loading import load


def main(model_dir: str, *asked: str) -> int:
    """Print extras on stdout, and on stderr what is worth knowing before the image is built.

    Returns 1 for a model that no image can serve. All packages of the image and of its extras are here: one that is
    missing here is missing there. What fails because this Python is another than the image's is tried again there.
    """
    code = _tried(Path(model_dir))
    if code > 0:
        return code
    with redirect_stdout(sys.stderr):  # the model's own code may print
        try:
            if code == 0:
                load(Path(model_dir))
        except ModelLoadError as error:
            print(f"warning: name the extras that the model needs in EXTRAS, for here {error.detail}")  # noqa: T201  # what the command prints
    needed = {extra for package, extra in EXTRAS.items() if package in sys.modules}
    for extra in sorted(needed.difference(asked)):
        print(f"the model needs {extra}: it is added to EXTRAS", file=sys.stderr)  # noqa: T201  # as above
    print(*sorted(needed.union(asked)))  # noqa: T201  # as above
    return 0


def _tried(model_dir: Path) -> int:
    """Load the model in a child, which may die of it: 1 where no image can serve it, and else minus the signal."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os._exit(_refused(model_dir))
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code < 0:
        print(  # noqa: T201  # as above
            f"warning: loading the model ended Python {platform.python_version()} with signal {-code}; the image has "
            "Python 3.13, and tries it again",
            file=sys.stderr,
        )
    return code


def _refused(model_dir: Path) -> int:
    try:
        load(model_dir)
    except ModelLoadError as error:
        if not model_dir.is_dir() or _is_of_this_python(error.__cause__):
            return 0
        print(f"error: {error.detail}", file=sys.stderr)  # noqa: T201  # as above
        return 1
    return 0


def _is_of_this_python(cause: BaseException | None) -> bool:
    """Whether a package lacks a name, or a module of Python's own is missing."""
    if isinstance(cause, ModuleNotFoundError):
        return (cause.name or "").partition(".")[0] in sys.stdlib_module_names
    return isinstance(cause, ImportError)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
