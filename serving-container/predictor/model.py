"""The model: found by what lies in the model directory, loaded once, asked for predictions."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy.typing as npt

from predictor import user_code
from predictor.errors import ModelLoadError
from predictor.loading import explained
from predictor.rows import Rows, Signature
from predictor.user_code import UserCode

__all__ = ["Model", "Options", "UserCode", "find", "load"]

DECISION_FUNCTION = "decision_function.onnx"
"""A compiled model's second graph, which is no model by itself."""


class Model(Protocol):
    """What predicts rows; called by one thread at a time."""

    signature: Signature

    def predict(self, rows: Rows, method: str) -> npt.NDArray[Any]:
        """Predict rows that `codecs.decode` has let through: one element a row.

        Raises BadInputError when the model refuses a row, PredictionError when it fails. In a batch either may be one
        request's fault: predict each request alone, and give every one its own answer.
        """

    def warm_up(self) -> bool:
        """Predict a made-up row, so that the first request finds everything loaded; False when the model refuses it."""

    def probe(self) -> Signature:
        """The signature with what only trying tells; the model may start threads meanwhile."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to load a model."""

    threads: int = 1
    """Threads that one prediction may use."""
    program: str = "inference.py"
    """File in `code/` that holds the user's functions."""
    trusted: tuple[str, ...] = ()
    """Types that a .skops file may hold besides those that skops knows to be safe."""
    probe: bool = True
    """Whether the model may be tried, which may start threads."""


def load(model_dir: Path, options: Options = Options()) -> Model | UserCode:
    """Load the one model in `model_dir`; raises ModelLoadError, whose detail is one line."""
    program = model_dir / "code" / options.program
    user_code.importable(program.parent)
    if program.is_file():
        return user_code.load(program, model_dir, partial(_load_file, model_dir, options))
    return _load_file(model_dir, options)[1]


def _load_file(model_dir: Path, options: Options) -> tuple[Path, Model]:
    path = find(model_dir)
    with explained(path):
        model = LOADERS[_kind(path)](path, options)
        if options.probe:
            model.signature = model.probe()
        return path, model


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
    from predictor import model_sklearn  # noqa: PLC0415  # each format imports what it needs

    return model_sklearn.load_pickle(path)


def _skops(path: Path, options: Options) -> Model:
    from predictor import model_sklearn  # noqa: PLC0415  # each format imports what it needs

    return model_sklearn.load_skops(path, options.trusted)


def _onnx(path: Path, options: Options) -> Model:
    from predictor import model_onnx  # noqa: PLC0415  # each format imports what it needs

    return model_onnx.load(path, options.threads)


def _xgboost(path: Path, options: Options) -> Model:
    from predictor import model_boosters  # noqa: PLC0415  # each format imports what it needs

    return model_boosters.load_xgboost(path, options.threads)


def _lightgbm(path: Path, options: Options) -> Model:
    from predictor import model_boosters  # noqa: PLC0415  # each format imports what it needs

    return model_boosters.load_lightgbm(path, options.threads)


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
