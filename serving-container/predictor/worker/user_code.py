"""A model's own `code/inference.py`, with the functions of AWS's framework containers.

    model_fn(model_dir) -> model                                else: what the model file holds (saved.py)
    input_fn(body, content_type) -> data                        else: the container's codecs
    predict_fn(data, model) -> prediction                       else: model.predict(data)
    output_fn(prediction, accept) -> body or (body, media type) else: the container's codecs
    transform_fn(model, body, content_type, accept)             in place of the last three
    pre_model_fn(model_dir), model_warmup_fn(model_dir, model)  before and after model_fn

Each may be async, and may take a context as one more argument. Source: aws/sagemaker-inference-toolkit,
src/sagemaker_inference/transformer.py.
"""

import asyncio
import importlib.util
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from predictor.errors import BadInputError, ModelLoadError, PredictionError, PredictorError
from predictor.formats import media_types
from predictor.formats.registry import Payload, decode, encode, negotiate
from predictor.inputs.containers import contain
from predictor.inputs.schema import Schema
from predictor.models.load_errors import explained
from predictor.worker.saved import Saved, saved

# Positional arguments of each function, without the context.
ARGUMENTS = {
    "pre_model_fn": 1,
    "model_fn": 1,
    "model_warmup_fn": 2,
    "input_fn": 2,
    "predict_fn": 2,
    "output_fn": 2,
    "transform_fn": 4,
}
TEXT = frozenset({"application/json", "text/csv"})
"""Media types whose bodies AWS's containers hand to user code as str."""
TAKING_MODEL = {"model_warmup_fn", "predict_fn", "transform_fn"}
PAIR = 2
SHOWN = 500
"""Characters of a user's own error message that a caller gets."""
ANYTHING = Schema(independent=False)


@dataclass(frozen=True, slots=True)
class Context:
    """What a function may ask about its request, as AWS's context has it."""

    system_properties: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)

    def get_request_header(self, index: int, name: str) -> str | None:
        """Look up a header; `index` counts the requests of a batch, of which there is one."""
        return self.headers.get(name.lower()) if index == 0 else None

    def get_all_request_header(self, index: int) -> dict[str, str]:
        return dict(self.headers) if index == 0 else {}


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
            raise _failure(self.name, error) from error


class UserCode:
    """User functions around a model, called for one request at a time.

    `model` predicts where there is no predict_fn; the functions get `given`. With model_fn both are what it returned.
    """

    def __init__(self, functions: dict[str, Function], model: Any, given: Saved, context: Context) -> None:
        self._functions = functions
        self._model = model
        self._given = given
        self._context = context

    @property
    def reads_bodies(self) -> bool:
        """Whether the user's code reads bodies by itself."""
        return not self._functions.keys().isdisjoint({"input_fn", "transform_fn"})

    @property
    def schema(self) -> Schema:
        """What the container's own model takes; without one, anything."""
        return getattr(self._model, "schema", ANYTHING)

    async def respond(self, body: bytes, content_type: str | None, accept: str | None) -> Payload:
        """Answer a request; raises PredictorError."""
        content_type = content_type or media_types.JSON
        context = replace(self._context, headers={"content-type": content_type, "accept": accept or "*/*"})
        wanted = media_types.first_choice(accept)
        if transform := self._functions.get("transform_fn"):
            data = _text(body, content_type)
            return _payload(await transform(self._given.model, data, content_type, wanted, context=context), wanted)
        offered = "" if "output_fn" in self._functions else negotiate(accept, content_type)
        data, method = await self._read(body, content_type, context)
        prediction = await self._predict(data, method, context)
        if output := self._functions.get("output_fn"):
            return _payload(await output(prediction, wanted, context=context), wanted)
        return encode(np.asarray(prediction), offered)

    async def _read(self, body: bytes, content_type: str, context: Context) -> tuple[Any, str]:
        if read := self._functions.get("input_fn"):
            return await read(_text(body, content_type), content_type, context=context), self.schema.methods[0]
        request = decode(body, content_type, self.schema)
        known = self.schema is not ANYTHING
        return request.rows if known else contain(request.rows, ANYTHING), request.method

    async def _predict(self, data: Any, method: str, context: Context) -> Any:
        if predict := self._functions.get("predict_fn"):
            rows = data if "input_fn" in self._functions else self._given.rows(data)
            return await predict(rows, self._given.model, context=context)
        if self.schema is not ANYTHING:
            return self._model.predict(data, method)
        return await Function("model.predict", self._model.predict, takes_context=False)(data, context=context)


def load(program: Path, model_dir: Path, load_file: Callable[[], tuple[Path, Any]]) -> UserCode:
    """Import the program and load its model; raises ModelLoadError.

    `load_file`, called where there is no model_fn, returns the model's file and the container's model of it.
    """
    context = Context({"model_dir": str(model_dir), "gpu_id": None})
    with explained(program):
        functions = _functions(_import(program))
        if "transform_fn" in functions and functions.keys() & {"input_fn", "predict_fn", "output_fn"}:
            raise ModelLoadError(f"{program} has transform_fn and also one of the three it stands for: leave one kind.")
        return asyncio.run(_prepare(functions, str(model_dir), context, load_file))


async def _prepare(
    functions: dict[str, Function], model_dir: str, context: Context, load_file: Callable[[], tuple[Path, Any]]
) -> UserCode:
    try:
        if before := functions.get("pre_model_fn"):
            await before(model_dir, context=context)
        if model_fn := functions.get("model_fn"):
            model = await model_fn(model_dir, context=context)
            given = Saved(model)
        else:
            path, model = load_file()
            given = saved(path, model) if functions.keys() & TAKING_MODEL else Saved(model)
        if warm_up := functions.get("model_warmup_fn"):
            await warm_up(model_dir, given.model, context=context)
    except (PredictionError, UserCodeError) as error:
        raise error.__cause__ or error from None
    return UserCode(functions, model, given, context)


def _import(program: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(program.stem, program)
    if spec is None or spec.loader is None:
        raise ModelLoadError(f"{program} is no Python file: name one in SAGEMAKER_PROGRAM.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[program.stem] = module
    spec.loader.exec_module(module)
    return module


def _functions(module: ModuleType) -> dict[str, Function]:
    return {
        name: Function(name, call, _takes(call) > arguments)
        for name, arguments in ARGUMENTS.items()
        if (call := getattr(module, name, None)) is not None
    }


def _takes(call: Callable[..., Any]) -> int:
    """How many arguments can be given by position."""
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(parameter.kind in positional for parameter in inspect.signature(call).parameters.values())


def _text(body: bytes, content_type: str) -> bytes | str:
    if media_types.parse(content_type).name not in TEXT:
        return body
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise BadInputError(f"The body is not UTF-8, at byte {error.start}.") from None


def _payload(answer: Any, media_type: str) -> Payload:
    """Make a payload of what output_fn or transform_fn returned: a body, or a body and its media type."""
    body, content_type = answer if isinstance(answer, tuple) and len(answer) == PAIR else (answer, media_type)
    if isinstance(body, str):
        return Payload(body.encode(), str(content_type))
    if isinstance(body, bytes | bytearray | memoryview):
        return Payload(bytes(body), str(content_type))
    raise PredictionError(f"The model's own code returned a {type(body).__name__} where a str or bytes are needed.")


def _failure(name: str, error: BaseException) -> PredictorError:
    """What a caller learns of an error in user code; the log gets the rest."""
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and status in range(400, 600):
        return UserCodeError(str(getattr(error, "message", error))[:SHOWN], status)
    return PredictionError(f"{name} of the model's own code failed with {type(error).__name__}.")
