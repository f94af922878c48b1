"""Which of the image's extras a model needs, found out by loading it where all of them are installed.

`python -m predictor.worker.extras MODEL_DIR [EXTRA ...]` prints the extras asked for and those the model needs.
"""

import sys
from contextlib import redirect_stdout
from pathlib import Path

from predictor.errors import ModelLoadError
from predictor.models.load_errors import EXTRAS
from predictor.worker.loading import load


def main(model_dir: str, *asked: str) -> None:
    """Print extras on stdout, and on stderr what is worth knowing before the image is built."""
    with redirect_stdout(sys.stderr):  # the model's own code may print
        try:
            load(Path(model_dir))
        except ModelLoadError as error:
            print(f"warning: name the extras that the model needs in EXTRAS, for here {error.detail}")  # noqa: T201  # what the command prints
    needed = {extra for package, extra in EXTRAS.items() if package in sys.modules}
    for extra in sorted(needed.difference(asked)):
        print(f"the model needs {extra}: it is added to EXTRAS", file=sys.stderr)  # noqa: T201  # as above
    print(*sorted(needed.union(asked)))  # noqa: T201  # as above


if __name__ == "__main__":
    main(*sys.argv[1:])
