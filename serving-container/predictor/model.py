"""The model: found by what lies in the model directory, loaded once, asked for predictions."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy.typing as npt

from predictor.codecs import Payload
from predictor.errors import ModelLoadError
from predictor.rows import Rows, Signature


class Model(Protocol):
    """What predicts rows; called by one thread at a time."""

    signature: Signature

    def predict(self, rows: Rows, method: str) -> npt.NDArray[Any]:
        """Predict rows that `codecs.decode` has let through: one element a row.

        Raises BadInputError when the model refuses a row, PredictionError when it fails. In a batch either may be one
        request's fault: predict each request alone, and give every one its own answer.
        """

    def warm_up(self) -> None:
        """Predict once, so that the first request finds everything loaded; raises ModelLoadError."""


@runtime_checkable
class UserCode(Protocol):
    """A model directory's own `code/inference.py`: it reads and writes bodies itself, one request at a time."""

    async def respond(self, body: bytes, content_type: str | None, accept: str | None) -> Payload:
        """Answer a request; raises PredictorError."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to load a model."""

    threads: int = 1
    """Threads that one prediction may use."""
    program: str = "inference.py"
    """File in `code/` that holds the user's functions."""
    trusted: tuple[str, ...] = ()
    """Types that a .skops file may hold besides those that skops knows to be safe."""


def load(model_dir: Path, options: Options = Options()) -> Model | UserCode:
    """Load the one model in `model_dir`; raises ModelLoadError, whose detail is one line."""
    path = find(model_dir)
    with explained(path):
        return LOADERS[_kind(path)](path, options)


def find(model_dir: Path) -> Path:
    """Find the one file that is a model; raises ModelLoadError when there is none, or several."""
    if not model_dir.is_dir():
        raise ModelLoadError(f"{model_dir} is no directory: put the model there, or name another in SERVING_MODEL_DIR.")
    found = sorted(path for path in model_dir.iterdir() if path.is_file() and _kind(path) in LOADERS)
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise ModelLoadError(f"{model_dir} holds {len(found)} models ({names}): leave one.")
    if not found:
        raise ModelLoadError(f"{model_dir} holds no model: expected {EXPECTED}.{_hint(model_dir)}")
    return found[0]


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn whatever goes wrong while a model is loaded into one line: what, where, what to do."""
    try:
        yield
    except ModelLoadError:
        raise
    except Exception as error:
        raise ModelLoadError(f"{path} cannot be loaded: {_explanation(error, path)}") from error


def _explanation(error: Exception, path: Path) -> str:
    match error:
        case ModuleNotFoundError(name=str(name)):
            return f'it needs the module "{name}", which is not installed: {_remedy(name)}.'
        case MemoryError():
            size = path.stat().st_size // 2**20
            return f"its {size} MB do not fit into memory: use a larger instance, or fewer workers (SERVING_WORKERS)."
        case PermissionError():
            return "it may not be read: make it readable for all (chmod o+r)."
        case Warning(original_sklearn_version=trained, current_sklearn_version=here):  # type: ignore[misc]
            return (
                f"it was saved with scikit-learn {trained}, and this is {here}: train it with {here}, "
                f"or put scikit-learn=={trained} into requirements.in and build again."
            )
        case AttributeError() if "__main__" in str(error):
            return f"{_one_line(error)}: define the class in a module, and ship it with code/inference.py."
    kind = type(error).__name__
    return f"it is damaged, or of another kind than its name says ({kind}: {_one_line(error)}): save it again."


def _remedy(module: str) -> str:
    package = module.partition(".")[0]
    if package in EXTRAS:
        return f"build the image with --build-arg EXTRAS={EXTRAS[package]}"
    return "add its package to requirements.in, lock, and build the image again"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def _hint(model_dir: Path) -> str:
    """The usual mistake: an archive with a directory around its files."""
    inside = [path for path in model_dir.glob("*/*") if _kind(path) in LOADERS]
    return f" {inside[0]} is one level too deep: put files at the top of model.tar.gz." if inside else ""


def _kind(path: Path) -> str:
    """What tells a model file: its whole name, or else its suffix."""
    return path.name if path.name in LOADERS else path.suffix.lower()


# Each imports only the libraries of its own format: a worker with an ONNX model never loads scikit-learn.
def _pickle(path: Path, _: Options) -> Model:
    from predictor import model_sklearn  # noqa: PLC0415

    return model_sklearn.load_pickle(path)


LOADERS: dict[str, Callable[[Path, Options], Model]] = {
    ".pkl": _pickle,
    ".pickle": _pickle,
    ".joblib": _pickle,
}
EXPECTED = f"one file of {', '.join(LOADERS)}, or code/inference.py"
EXTRAS = {"xgboost": "xgboost", "lightgbm": "lightgbm"}
"""Packages that the image holds only when asked to, with the name of the extra."""
