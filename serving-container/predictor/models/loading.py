"""The model's file: found in the model directory and loaded once."""

import sys
from collections.abc import Callable
from pathlib import Path

from predictor.errors import ModelLoadError
from predictor.models.base import Model, Options
from predictor.models.load_errors import explained

DECISION_FUNCTION = "decision_function.onnx"
"""A compiled model's second graph, which is no model by itself."""


def load_file(model_dir: Path, options: Options) -> tuple[Path, Model]:
    path = find(model_dir)
    with explained(path):
        return path, LOADERS[_kind(path)](path, options)


def importable(directory: Path) -> None:
    """Let the modules in a directory be imported, by the program beside them or by a pickle, as AWS's containers do."""
    if directory.is_dir() and str(directory) not in sys.path:
        sys.path.insert(0, str(directory))


def find(model_dir: Path) -> Path:
    """Find the one file that is a model; raises ModelLoadError when there is none, or several."""
    if not model_dir.is_dir():
        raise ModelLoadError(f"{model_dir} is no directory: put the model there, or name another in SERVING_MODEL_DIR.")
    found = sorted(path for path in model_dir.iterdir() if path.is_file() and _kind(path) in LOADERS)
    found = [path for path in found if path.name != DECISION_FUNCTION]
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise ModelLoadError(f"{model_dir} holds {len(found)} models ({names}): leave one.")
    if not found:
        raise ModelLoadError(f"{model_dir} holds no model: expected {EXPECTED}.{_hint(model_dir)}")
    return found[0]


def _hint(model_dir: Path) -> str:
    """The usual mistake: a directory around the files."""
    inside = [path for path in model_dir.glob("*/*") if _kind(path) in LOADERS]
    if not inside:
        return ""
    return f" {inside[0]} is one level too deep: move it up into {model_dir} (in model.tar.gz, to the top)."


def _kind(path: Path) -> str:
    """What tells a model file: its whole name, or else its suffix."""
    return path.name if path.name in LOADERS else path.suffix.lower()


# Each imports only the libraries of its own format: a worker with an ONNX model never loads scikit-learn.
def _pickle(path: Path, _: Options) -> Model:
    from predictor.models import estimator  # noqa: PLC0415  # each format imports what it needs

    return estimator.load_pickle(path)


def _skops(path: Path, options: Options) -> Model:
    from predictor.models import estimator  # noqa: PLC0415  # each format imports what it needs

    return estimator.load_skops(path, options.trusted)


def _onnx(path: Path, options: Options) -> Model:
    from predictor.models import onnx_model  # noqa: PLC0415  # each format imports what it needs

    return onnx_model.load(path, options.threads)


def _xgboost(path: Path, options: Options) -> Model:
    from predictor.models import boosters  # noqa: PLC0415  # each format imports what it needs

    return boosters.load_xgboost(path, options.threads)


def _lightgbm(path: Path, options: Options) -> Model:
    from predictor.models import boosters  # noqa: PLC0415  # each format imports what it needs

    return boosters.load_lightgbm(path, options.threads)


LOADERS: dict[str, Callable[[Path, Options], Model]] = {
    ".pkl": _pickle,
    ".pickle": _pickle,
    ".joblib": _pickle,
    ".skops": _skops,
    ".onnx": _onnx,
    ".ubj": _xgboost,
    # .json and .txt may be anything, so these have to have this very name
    "model.json": _xgboost,
    "xgboost-model": _xgboost,  # what SageMaker's own XGBoost writes
    "model.txt": _lightgbm,
}
EXPECTED = f"one file of {', '.join(LOADERS)}, or code/inference.py"
