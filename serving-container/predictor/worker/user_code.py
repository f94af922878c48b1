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
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from predictor.errors import BadInputError, ModelLoadError, NoModelError, PredictionError
from predictor.formats import media_types
from predictor.formats.registry import Payload, decode, negotiate
from predictor.inputs.schema import Schema
from predictor.models.load_errors import explained
from predictor.worker import answers, bodies, functions
from predictor.worker.context import Context
from predictor.worker.functions import Function, UserCodeError
from predictor.worker.saved import Saved, callable_predict, saved

TEXT = frozenset({"application/json", "text/csv"})
"""Media types whose bodies AWS's containers hand to user code as str."""
TAKING_MODEL = {"model_warmup_fn", "predict_fn", "transform_fn"}
ANYTHING = Schema(independent=False)


class UserCode:
    """User functions around a model, called for one request at a time.

    `model` predicts where there is no predict_fn; the functions get `given`. With model_fn both are what it returned.
    """

    def __init__(self, found: dict[str, Function], model: Any, given: Saved, context: Context, accept: str) -> None:
        self._functions = found
        self._model = model
        self._given = given
        self._context = context
        self._accept = accept

    @property
    def reads_bodies(self) -> bool:
        """Whether the user's code reads bodies by itself."""
        return not self._functions.keys().isdisjoint({"input_fn", "transform_fn"})

    @property
    def schema(self) -> Schema:
        """What the container's own model takes; without one, anything."""
        return getattr(self._model, "schema", ANYTHING)

    async def respond(self, body: bytes, content_type: str | None, accept: str | None, request_id: str = "") -> Payload:
        """Answer a request; raises PredictorError."""
        content_type = content_type or media_types.JSON
        headers = {"content-type": content_type, "accept": accept or "*/*"}
        context = replace(self._context, headers=headers, request_id=request_id)
        wanted = media_types.first_choice(accept, self._accept)
        if transform := self._functions.get("transform_fn"):
            data = _text(body, content_type)
            answer = await transform(self._given.model, data, content_type, wanted, context=context)
            return answers.written(answer, wanted, context)
        offered = "" if "output_fn" in self._functions else self._offered(accept, content_type)
        data, method = await self._read(body, content_type, context)
        prediction = await self._predict(data, method, context)
        if output := self._functions.get("output_fn"):
            return answers.written(await output(prediction, wanted, context=context), wanted, context)
        return answers.encoded(prediction, offered, context)

    def _offered(self, accept: str | None, content_type: str) -> str:
        """The media type of an answer that the container writes; input_fn takes what the container would refuse."""
        own = content_type.partition(";")[0] if "input_fn" in self._functions else content_type
        if self._accept != media_types.JSON and (accept or "*/*").strip() == "*/*":
            accept = self._accept
        return negotiate(accept, own)

    async def _read(self, body: bytes, content_type: str, context: Context) -> tuple[Any, str]:
        if read := self._functions.get("input_fn"):
            return await read(_text(body, content_type), content_type, context=context), self.schema.methods[0]
        if self.schema is ANYTHING:
            return bodies.read(body, content_type, ANYTHING), ANYTHING.methods[0]
        request = decode(body, content_type, self.schema)
        return request.rows, request.method

    async def _predict(self, data: Any, method: str, context: Context) -> Any:
        if predict := self._functions.get("predict_fn"):
            rows = data if "input_fn" in self._functions else self._given.rows(data)
            return await predict(rows, self._given.model, context=context)
        if self.schema is not ANYTHING:
            return self._model.predict(data, method)
        call = callable_predict(self._model)
        if call is None:
            raise PredictionError(f"The model is a {type(self._model).__name__}, which has no predict.")
        return await Function("model.predict", call, takes_context=False)(data, context=context)


def load(
    program: Path, model_dir: Path, load_file: Callable[[], tuple[Path, Any]], accept: str = media_types.JSON
) -> UserCode:
    """Import the program and load its model; raises ModelLoadError.

    `load_file`, called where there is no model_fn, returns the model's file and the container's model of it.
    """
    context = Context({"model_dir": str(model_dir), "gpu_id": None, "batch_size": 1})
    with explained(program):
        found = functions.read(program)
        model, given = asyncio.run(_prepare(found, str(model_dir), context, load_file))
        if not found.keys() & {"predict_fn", "transform_fn"} and "model_fn" in found and not callable_predict(model):
            raise ModelLoadError(
                f"{program}: model_fn returns a {type(model).__name__}, which has no predict: write predict_fn(data, "
                "model)."
            )
    return UserCode(found, model, given, context, accept)


async def _prepare(
    found: dict[str, Function], model_dir: str, context: Context, load_file: Callable[[], tuple[Path, Any]]
) -> tuple[Any, Saved]:
    """Load the model between the functions that stand before and after it."""
    try:
        if before := found.get("pre_model_fn"):
            await before(model_dir, context=context)
        if model_fn := found.get("model_fn"):
            model = await model_fn(model_dir, context=context)
            given = Saved(model)
        else:
            model, given = _from_file(found, load_file)
        if warm_up := found.get("model_warmup_fn"):
            await warm_up(model_dir, given.model, context=context)
    except (PredictionError, UserCodeError) as error:
        raise error.__cause__ or error from None
    return model, given


def _from_file(found: dict[str, Function], load_file: Callable[[], tuple[Path, Any]]) -> tuple[Any, Saved]:
    """Load the model's file; what cannot predict by itself is for the functions that predict."""
    try:
        path, model = load_file()
    except NoModelError as error:
        if found.keys().isdisjoint({"predict_fn", "transform_fn"}):
            raise
        return error.held, Saved(error.held)
    return model, saved(path, model) if found.keys() & TAKING_MODEL else Saved(model)


def _text(body: bytes, content_type: str) -> bytes | str:
    """Decode text as AWS's containers do; in a charset that is named and known, and else as UTF-8."""
    name, *parameters = content_type.split(";")
    if name.strip().lower() not in TEXT:
        return body
    charset = next((p.partition("=")[2].strip(' "') for p in parameters if p.strip().lower().startswith("charset")), "")
    try:
        return body.decode(charset or "utf-8")
    except UnicodeDecodeError as error:
        raise BadInputError(f"The body is not {error.encoding.upper()}, at byte {error.start}.") from None
    except LookupError:
        return body
