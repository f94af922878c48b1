"""The model's file: found in the model directory and loaded once."""

import sys
from pathlib import Path

from predictor.errors import ModelLoadError
from predictor.models import files as files_of_models
from predictor.models import load_hints
from predictor.models.base import Model, Options
from predictor.models.files import MODEL_FILES
from predictor.models.load_errors import explained

PROGRAM = "inference.py"
"""The file of a model's own functions, unless another is named."""


def load_file(model_dir: Path, options: Options) -> tuple[Path, Model]:
    path = find(model_dir)
    with explained(path):
        return path, _load(kind(path), path, options)


def importable(directory: Path) -> None:
    """Let the modules in a directory be imported, by the program beside them or by a pickle, as AWS's containers do."""
    if directory.is_dir() and str(directory) not in sys.path:
        sys.path.insert(0, str(directory))


def find_program(model_dir: Path, asked: str) -> Path | None:
    """Find the file of the model's own functions: in code/, as AWS's containers have it, or beside the model.

    Raises ModelLoadError when the one that was asked for is not there.
    """
    places = [model_dir / "code" / (asked or PROGRAM), model_dir / (asked or PROGRAM)]
    found = next((path for path in places if path.is_file()), None)
    if asked and found is None:
        there = sorted(path.name for folder in (model_dir / "code", model_dir) for path in folder.glob("*.py"))
        hint = f"there is {', '.join(there)}" if there else "there is no .py file at all"
        raise ModelLoadError(
            f"SAGEMAKER_PROGRAM names {asked}, which is neither in {model_dir / 'code'} nor in {model_dir} ({hint}): "
            "name a file that is there, or leave the variable out."
        )
    return found


def find(model_dir: Path) -> Path:
    """Find the one file that is a model; raises ModelLoadError when there is none, or several."""
    if not model_dir.is_dir():
        raise ModelLoadError(f"{model_dir} is no directory: put the model there, or name another in SERVING_MODEL_DIR.")
    files = [path for path in sorted(model_dir.iterdir()) if files_of_models.may_be_model(path.name)]
    found = [path for path in files if path.is_file() and files_of_models.by_name(path.name)]
    found = found or [path for path in files if path.is_file() and _by_content(path)]
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise ModelLoadError(f"{model_dir} holds {len(found)} models ({names}): leave one.")
    if not found:
        raise ModelLoadError(
            f"{model_dir} holds no model: expected {EXPECTED}.{load_hints.of_folder(model_dir, files)}"
        )
    return found[0]


def kind(path: Path) -> str:
    """Tell the library of a model's file; a name that says nothing leaves it to the content."""
    return files_of_models.by_name(path.name) or _by_content(path)


def _by_content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return files_of_models.by_content(file)
    except OSError:
        return ""


def _onnx(path: Path, options: Options) -> Model:
    from predictor.models import by_rows, onnx_model  # noqa: PLC0415  # only this format needs it

    compiled = onnx_model.OnnxModel(path, options.threads)
    if compiled.most_rows is None:
        return compiled
    original = _load("pickle", path.with_name(files_of_models.ORIGINAL), options)
    return by_rows.ByRows(compiled, original, compiled.most_rows)


def _load(library: str, path: Path, options: Options) -> Model:
    if library == "onnx":
        return _onnx(path, options)
    # a worker with an ONNX model never loads scikit-learn
    from predictor.models import boosters, bytecode, estimator  # noqa: PLC0415  # as above

    match library:
        case "pickle":
            bytecode.refuse_others(path)
            return estimator.load_pickle(path)
        case "skops":
            return estimator.load_skops(path, options.trusted)
        case "xgboost":
            return boosters.load_xgboost(path, options.threads)
        case "lightgbm":
            return boosters.load_lightgbm(path, options.threads)
        case _:
            return boosters.load_catboost(path, options.threads)


EXPECTED = f"one file of {', '.join(MODEL_FILES)}, or code/inference.py"
