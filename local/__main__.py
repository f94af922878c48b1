"""`python -m local`: the whole chain on this machine, until Ctrl-C; with --print-model, where its model is."""

import os
import sys
from contextlib import redirect_stdout

from local.chain import Chain
from local.errors import ChainError
from local.example import find_model
from local.process import run_to_end
from local.settings import read_settings
from sam_template import TemplateError


def main() -> None:
    settings = read_settings(sys.argv[1:])
    try:
        if settings.print_model:
            print_model(settings.model)
        else:
            Chain(settings, os.environ).run()
    except (ChainError, TemplateError) as error:
        sys.exit(f"{'error' if settings.print_model else 'local chain'}: {error}")


def print_model(name: str) -> None:
    """Print the model's directory; stdout holds nothing else."""
    with redirect_stdout(sys.stderr):
        directory = find_model(name, os.environ, run_to_end)
    print(directory)


if __name__ == "__main__":
    main()
