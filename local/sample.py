"""Write a request body that fits a model: `python -m local.sample DIRECTORY FILE`."""

import json
import sys
from pathlib import Path
from typing import Any

from deployment.errors import UnreadableError
from deployment.samples import read_samples
from predictor.errors import PredictorError
from predictor.model import load
from predictor.rows import Signature

# Petal length and width of five flowers, in cm.
FLOWERS = '{"data": [[1,2],[3,4],[3,3],[10,1],[7,8]]}'
FLOWER_FEATURES = 2


def body(signature: Signature, directory: Path) -> str | None:
    """Return a body with a row for the model: of its samples.csv, or made up; None when nothing is known of it."""
    if signature.features == FLOWER_FEATURES and signature.numeric:
        return FLOWERS
    found = _stored(directory) or _made_up(signature)
    if found is None:
        return None
    members = (f'"{name}": {json.dumps(value, separators=(",", ":"))}' for name, value in found.items())
    return f"{{{', '.join(members)}}}"


def _stored(directory: Path) -> dict[str, Any] | None:
    try:
        return read_samples(directory).body(1)
    except UnreadableError:
        return None


def _made_up(signature: Signature) -> dict[str, Any] | None:
    if signature.features is None or signature.text is None or signature.frame:
        return None
    return {"data": [["" if position in signature.text else 0 for position in range(signature.features)]]}


def main() -> None:
    directory, file = map(Path, sys.argv[1:])
    try:
        model = load(directory)
    except PredictorError:
        # The container says why.
        sys.exit(1)
    if found := body(getattr(model, "signature", Signature()), directory):
        file.write_text(found)


if __name__ == "__main__":
    main()
