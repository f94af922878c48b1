"""A model's own functions: found in their file, checked before the first request, and called."""

import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from predictor.errors import BadInputError, ModelLoadError, PredictionError, PredictorError
from predictor.worker.context import Context

ARGUMENTS = {
    "pre_model_fn": ("model_dir",),
    "model_fn": ("model_dir",),
    "model_warmup_fn": ("model_dir", "model"),
    "input_fn": ("body", "content_type"),
    "predict_fn": ("data", "model"),
    "output_fn": ("prediction", "accept"),
    "transform_fn": ("model", "body", "content_type", "accept"),
}
"""The functions that a file may define, and what each is called with."""
LOOKALIKES = {
    "predict": "predict_fn",
    "predict_proba": "predict_fn",
    "prediction": "predict_fn",
    "infer": "predict_fn",
    "inference": "predict_fn",
    "run": "predict_fn",
    "score": "predict_fn",
    "init": "model_fn",
    "load": "model_fn",
    "load_model": "model_fn",
    "get_model": "model_fn",
    "preprocess": "input_fn",
    "input_handler": "input_fn",
    "postprocess": "output_fn",
    "output_handler": "output_fn",
    "handle": "transform_fn",
    "handler": "transform_fn",
    "invocations": "transform_fn",
    "transform": "transform_fn",
}
"""What other servers call such functions."""
OWN_FAULTS = (ImportError, NameError, MemoryError, FileNotFoundError, PermissionError, SystemExit)
"""What no body can be to blame for."""
SHOWN = 500
"""Characters of a user's own error message that a caller gets."""
STATUSES = range(400, 600)


class UserCodeError(PredictorError):
    """Raise when user code raises an error with a status of its own (`status_code`, as AWS's toolkit has it)."""

    title = "Error of the model's own code"

    def __init__(self, detail: str, status: int) -> None:
        super().__init__(detail)
        self.status = status  # type: ignore[misc]  # here, and only here, not the class decides


@dataclass(frozen=True, slots=True)
class Function:
    """One of the user's functions."""

    name: str
    call: Callable[..., Any]
    takes_context: bool

    async def __call__(self, *arguments: Any, context: Context) -> Any:
        """Call or await it; raises PredictorError, with what it raised as the cause."""
        try:
            result = self.call(*arguments, context) if self.takes_context else self.call(*arguments)
            return await result if inspect.isawaitable(result) else result
        except PredictorError:
            raise
        except (Exception, SystemExit) as error:
            raise failure(self.name, error) from error


def read(program: Path) -> dict[str, Function]:
    """Import the program and return its functions by their names; raises ModelLoadError."""
    module = _import(program)
    functions = {name: _function(name, getattr(module, name), program) for name in ARGUMENTS if hasattr(module, name)}
    if "transform_fn" in functions and functions.keys() & {"input_fn", "predict_fn", "output_fn"}:
        raise ModelLoadError(f"{program} has transform_fn and also one of the three it stands for: leave one kind.")
    if not functions and (told := ", ".join(_lookalikes(module))):
        raise ModelLoadError(f"{program} has none of {', '.join(ARGUMENTS)}: {told}.")
    return functions


def _lookalikes(module: ModuleType) -> Iterator[str]:
    for name, meant in LOOKALIKES.items():
        call = getattr(module, name, None)
        if inspect.isroutine(call) and getattr(call, "__module__", None) == module.__name__:
            yield f"`{name}` is written `{meant}({', '.join(ARGUMENTS[meant])})`"


def _import(program: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(program.stem, program)
    if spec is None or spec.loader is None:
        raise ModelLoadError(f"{program} is no Python file: name one in SAGEMAKER_PROGRAM.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[program.stem] = module
    spec.loader.exec_module(module)
    return module


def _function(name: str, call: Any, program: Path) -> Function:
    """Check how many arguments a function takes: as many as it is called with, or the context as one more."""
    expected = ARGUMENTS[name]
    if not callable(call):
        raise ModelLoadError(f"{program}: {name} is a {type(call).__name__}, expected a function.")
    try:
        signature = inspect.signature(call)
    except (TypeError, ValueError):  # of a built-in
        return Function(name, call, takes_context=False)
    for given, with_context in _ways(signature, len(expected)):
        with suppress(TypeError):
            signature.bind(*[None] * given)
            return Function(name, call, with_context)
    words = ", ".join(expected)
    raise ModelLoadError(
        f"{program}: {name}{signature} cannot be called: it is given ({words}), or ({words}, context)."
    )


def _ways(signature: inspect.Signature, given: int) -> Iterator[tuple[int, bool]]:
    """How many arguments to try, and whether the last is the context.

    AWS's toolkit hands the context to whatever has one parameter more; here one with a default keeps that.
    """
    positional = [
        parameter
        for parameter in signature.parameters.values()
        if parameter.kind in {parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD}
    ]
    if len(positional) > given and positional[given].name in {"context", "ctx", "_context", "_"}:
        yield given + 1, True
    yield given, False
    yield given + 1, True


def failure(name: str, error: BaseException) -> PredictorError:
    """What a caller learns of an error in user code; the log gets the rest."""
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and status in STATUSES:
        return UserCodeError(str(getattr(error, "message", error))[:SHOWN], int(status))
    kind = type(error).__name__
    if name == "input_fn" and not isinstance(error, OWN_FAULTS):
        said = " ".join(str(error).split())[:SHOWN]
        return BadInputError(f"input_fn of the model's own code refuses the body: {kind}{said and ': '}{said}")
    return PredictionError(f"{name} of the model's own code failed with {kind}.")
