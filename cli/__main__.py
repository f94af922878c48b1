"""`python -m cli`: the program, as `.venv/bin/model-api` starts it."""

import sys

from cli.program import main

if __name__ == "__main__":
    sys.exit(main())
