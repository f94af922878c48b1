"""The command line program `model-api`: from a model's folder to its URL, one command for each step.

It reads the command line, calls `deployment` and `local`, and prints. Nothing imports it.
"""

import sys
from pathlib import Path

# What Lambda unpacks as a folder of its own is a folder of its own here, too.
GOLDEN_PACKAGE = str(Path(__file__).parent.parent / "golden")
if GOLDEN_PACKAGE not in sys.path:
    sys.path.append(GOLDEN_PACKAGE)
