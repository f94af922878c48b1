"""Write a request body that fits a model: `python -m local.sample DIRECTORY FILE`."""

import csv
import json
import sys
from pathlib import Path

from predictor.errors import PredictorError
from predictor.model import load
from predictor.rows import Signature

# Petal length and width of five flowers, in cm.
FLOWERS = "[[1,2],[3,4],[3,3],[10,1],[7,8]]"
FLOWER_FEATURES = 2


def body(signature: Signature, directory: Path) -> str | None:
    """Return a body with rows for the model: of its samples.csv, or made up; None when nothing is known of them."""
    if signature.features == FLOWER_FEATURES and signature.numeric:
        return f'{{"data": {FLOWERS}}}'
    row = _stored(directory / "samples.csv") or _made_up(signature)
    return None if row is None or signature.frame else f'{{"data": {json.dumps([row], separators=(",", ":"))}}}'


def _stored(file: Path) -> list[float | str] | None:
    if not file.is_file():
        return None
    with file.open(newline="") as lines:
        _, row, *_ = csv.reader(lines)
    return [_number(cell) for cell in row]


def _number(cell: str) -> float | str:
    try:
        return float(cell)
    except ValueError:
        return cell


def _made_up(signature: Signature) -> list[float | str] | None:
    if signature.features is None or signature.text is None:
        return None
    return ["" if position in signature.text else 0 for position in range(signature.features)]


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
