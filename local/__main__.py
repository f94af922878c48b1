"""`python -m local`: the whole chain on this machine, until Ctrl-C."""

import os
import sys

from local.chain import Chain
from local.errors import ChainError
from local.settings import read_settings


def main() -> None:
    settings = read_settings(sys.argv[1:])
    try:
        Chain(settings, os.environ).run()
    except ChainError as exc:
        sys.exit(f"local chain: {exc}")


if __name__ == "__main__":
    main()
