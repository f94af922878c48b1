"""What goes wrong while a model is loaded, said in one line: what, where, what to do."""

import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path

from predictor.errors import ModelLoadError
from predictor.models import needs

EXTRAS = {"xgboost": "xgboost", "lightgbm": "lightgbm"}
"""Packages that the image holds only when asked to, with the name of the extra."""

REQUIREMENTS = "requirements.txt in the model's folder"
LOWEST = "1.6"
"""The first scikit-learn whose estimators have `__sklearn_tags__`, which the signature is read from."""
# What a pickle names and another scikit-learn does not have; 1.5 to 1.7 call the module of their losses "_loss".
MOVED_MODULE = re.compile(r"_loss|sklearn\..+")
MOVED_NAME = re.compile(r"module 'sklearn\b.* has no attribute|Can't get attribute .* on <module 'sklearn\b")
LACKS = (
    re.compile(r"Can't get (?:local )?(?:attribute|object) '(?P<name>[^']+)' on <module '(?P<module>[^']+)'"),
    re.compile(r"[Mm]odule '(?P<module>[^']+)' has no attribute '(?P<name>[^']+)'"),
    re.compile(r"cannot import name '(?P<name>[^']+)' from '(?P<module>[^']+)'"),
)
SAVED_BY_THEMSELVES = {"xgboost": "model.ubj", "lightgbm": "model.txt", "catboost": "model.cbm"}
"""Libraries whose own files any later version reads, which pickles are not."""


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn whatever goes wrong while a model is loaded into one line: what, where, what to do."""
    try:
        yield
    except ModelLoadError:
        raise
    except (Exception, SystemExit) as error:
        raise ModelLoadError(f"{path} cannot be loaded: {_explanation(error, path)}") from error


def _explanation(error: BaseException, path: Path) -> str:
    match error:
        case MemoryError():
            size = path.stat().st_size // 2**20
            return f"its {size} MB do not fit into memory: use a larger instance, or fewer workers (SERVING_WORKERS)."
        case PermissionError():
            return "it may not be read: make it readable for all (chmod o+r)."
        case Warning(original_sklearn_version=trained, current_sklearn_version=here):  # type: ignore[misc]  # its class is imported with scikit-learn only
            return _other_version(trained, here)
    return _moved(error) or _missing(error, path) or _unforeseen(error, path)


def _missing(error: BaseException, path: Path) -> str | None:
    """What to say of a module or a name that is not there."""
    module, name = _not_found(error)
    package = module.partition(".")[0]
    here = _version_of(package) if name or module != package else ""
    if not module or (path.suffix == ".py" and (name or here)):  # a mistake in the file itself
        return None
    what = f'"{name}" of {module}' if name else f'the module "{module}"'
    if module in _main_modules():
        return (
            f'it holds "{name}" of the notebook or script that saved it: define it in a file of its own, '
            "such as mine.py, import it from there, save the model again, and put mine.py into "
            f"{_model_dir(path) / 'code'}."
        )
    if here:
        return (
            f"it was made with another {package} than this {here}, which has no {what.removeprefix('the ')}: "
            f"{_save_again(package, here)}, or put the {package} that it was made with into {REQUIREMENTS}."
        )
    if package in sys.modules and name:
        file = getattr(sys.modules[package], "__file__", None)
        return f"it needs {what}, which {file} does not define: put the file that it was saved with there."
    return f"it needs {what}{_remedy(module, path)}."


def _save_again(package: str, here: str) -> str:
    """How a model comes to another version of its package."""
    if package in SAVED_BY_THEMSELVES:
        return f"save it where it was made by its save_model, as {SAVED_BY_THEMSELVES[package]}"
    return f"train and save it with {package} {here}"


def _not_found(error: BaseException) -> tuple[str, str]:
    """The module that is not there, or that lacks a name, and the name."""
    if isinstance(error, ModuleNotFoundError):
        return error.name or "", ""
    text = str(error)
    for pattern in LACKS:
        if isinstance(error, AttributeError | ImportError) and (found := pattern.search(text)):
            return found["module"], found["name"]
    return "", ""


def _main_modules() -> set[str]:
    """What the program that runs here is called: pickle looks in it for what another program's file defined."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return {"__main__", "__mp_main__"} | ({spec.name} if spec else set())


def _version_of(package: str) -> str:
    """The version of an installed package by the name that is imported; empty for modules of one's own."""
    names = packages_distributions().get(package, [])
    return version(names[0]) if names else ""


def _other_version(trained: str, here: str) -> str:
    if _number(trained) < _number(LOWEST):
        return (
            f"it was saved with scikit-learn {trained}, and this is {here}; {LOWEST} is the lowest that can be served: "
            f"train it with {here}, or export it as ONNX where it was trained."
        )
    return (
        f"it was saved with scikit-learn {trained}, and this is {here}: train it with {here}, "
        f"or put scikit-learn=={trained} into {REQUIREMENTS}."
    )


def _moved(error: BaseException) -> str | None:
    """What to say where scikit-learn is too low, or has not what a pickle of another version names."""
    here, what = _scikit_learn(), _one_line(error)
    if "__sklearn_tags__" in what and _number(here) < _number(LOWEST):
        return (
            f"this is scikit-learn {here}, and {LOWEST} is the lowest that can be served: train it with {LOWEST} or "
            f"later, and put that version into {REQUIREMENTS}; or export it as ONNX where it was trained."
        )
    module = isinstance(error, ModuleNotFoundError) and MOVED_MODULE.fullmatch(error.name or "")
    if not module and not MOVED_NAME.search(what):
        return None
    return (
        f"it was made with another scikit-learn than this {here}, which lacks a part of it ({what}): train it with "
        f"{here}, or, if it was made with {LOWEST} or later, put scikit-learn== and that version into {REQUIREMENTS}."
    )


def _scikit_learn() -> str:
    try:
        return version("scikit-learn")
    except PackageNotFoundError:
        return "0"


def _number(text: str) -> tuple[int, ...]:
    """The first two numbers of a version."""
    return tuple(int(part) for part in re.findall(r"\d+", text)[:2])


def _unforeseen(error: BaseException, path: Path) -> str:
    what = f"{type(error).__name__}: {_one_line(error)}"
    if path.suffix == ".py":
        return f"{what} (line {_line(error, path)})."
    if isinstance(error, SystemExit):
        return f"its own code ended the program ({what}): leave sys.exit out."
    return f"it is damaged, or of another kind than its name says ({what}): save it again."


def _line(error: BaseException, path: Path) -> int:
    """The last line of the file that was at work; of a syntax error, its own."""
    if isinstance(error, SyntaxError) and error.lineno:
        return error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno or 0 for frame in reversed(frames) if frame.filename == str(path)), 0)


def _model_dir(path: Path) -> Path:
    """The model directory of a model or of a program in its code/."""
    return path.parent.parent if path.suffix == ".py" and path.parent.name == "code" else path.parent


def _remedy(module: str, path: Path) -> str:
    package, model_dir = module.partition(".")[0], _model_dir(path)
    code = model_dir / "code"
    for place in (model_dir, *sorted(model_dir.glob("*/"))):
        for found in (place / f"{package}.py", place / package):
            if place != code and (found.is_file() or (found / "__init__.py").is_file()):
                return f": move {found} into {code}"
    lines = needs.lines(path, model_dir, package)
    several = f"lines {', '.join(lines)}" if len(lines) > 1 else f"line {''.join(lines)}"
    write = f", which is not installed: write the {several} into {REQUIREMENTS}"
    if package in EXTRAS:
        return f'{write}, or build the image with make image MODEL=directory EXTRAS="{EXTRAS[package]}"'
    return f"{write}; or, if the module is your own, put {package}.py into {code}"


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
