"""What goes wrong while a model is loaded, said in one line: what, where, what to do."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from predictor.errors import ModelLoadError

EXTRAS = {"xgboost": "xgboost", "lightgbm": "lightgbm"}
"""Packages that the image holds only when asked to, with the name of the extra."""

REQUIREMENTS = "serving-container/requirements.in, then run make lock, and make image to build the image again"


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
        case Warning(original_sklearn_version=trained, current_sklearn_version=here):  # type: ignore[misc]  # its class is imported with scikit-learn only
            return (
                f"it was saved with scikit-learn {trained}, and this is {here}: train it with {here}, "
                f"or put scikit-learn=={trained} into {REQUIREMENTS}."
            )
        case AttributeError() if "__main__" in str(error):
            return f"{_one_line(error)}: define the class in a module, and ship it with code/inference.py."
    return _unforeseen(error, path)


def _unforeseen(error: Exception, path: Path) -> str:
    what = f"{type(error).__name__}: {_one_line(error)}"
    if path.suffix == ".py":
        return f"{what} (line {_line(error, path)})."
    return f"it is damaged, or of another kind than its name says ({what}): save it again."


def _line(error: Exception, path: Path) -> int:
    """The last line of the file that was at work; of a syntax error, its own."""
    if isinstance(error, SyntaxError) and error.lineno:
        return error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno or 0 for frame in reversed(frames) if frame.filename == str(path)), 0)


def _remedy(module: str) -> str:
    package = module.partition(".")[0]
    if package in EXTRAS:
        return f"build the image with --build-arg EXTRAS={EXTRAS[package]}"
    return f"add its package to {REQUIREMENTS} (nothing is installed at start)"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
