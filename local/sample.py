"""Write a request body that fits a model: `python -m local.sample DIRECTORY FILE`."""

import sys
from pathlib import Path

from predictor.errors import PredictorError
from predictor.model import load
from predictor.rows import Signature

# Petal length and width of five flowers, in cm.
IRIS = "[[1,2],[3,4],[3,3],[10,1],[7,8]]"
IRIS_FEATURES = 2


def body(signature: Signature) -> str | None:
    """Return a body with a row of zeros and empty texts; None when the model does not say what it takes."""
    if signature.features is None or signature.text is None or signature.frame:
        return None
    if signature.features == IRIS_FEATURES and signature.numeric:
        return f'{{"data": {IRIS}}}'
    cells = ('""' if position in signature.text else "0" for position in range(signature.features))
    return f'{{"data": [[{",".join(cells)}]]}}'


def main() -> None:
    directory, file = map(Path, sys.argv[1:])
    try:
        model = load(directory)
    except PredictorError as exc:
        sys.exit(str(exc))
    if found := body(getattr(model, "signature", Signature())):
        file.write_text(found)


if __name__ == "__main__":
    main()
