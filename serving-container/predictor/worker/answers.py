"""What a model's own functions return, as the body of an answer."""

from collections.abc import Iterator, Mapping
from inspect import isgenerator
from typing import Any

import numpy as np
import numpy.typing as npt

from predictor.errors import PredictionError
from predictor.formats.json import dump
from predictor.formats.media_types import JSON
from predictor.formats.registry import Payload, encode
from predictor.worker.context import FIRST, LAST, Context

PAIR = 2
WRITE = "write output_fn(prediction, accept), which makes a body of it"
NO_BODY = {
    "NoneType": "return the body",
    "dict": "return json.dumps(...)",
    "list": "return json.dumps(...)",
    "ndarray": "return json.dumps(prediction.tolist())",
    "DataFrame": 'return frame.to_json(orient="records")',
}


def written(answer: Any, media_type: str, context: Context) -> Payload:
    """Make a payload of what output_fn or transform_fn returned: a body, or a body and its media type."""
    body, content_type = answer, context.content_type or media_type
    if isinstance(answer, tuple) and len(answer) == PAIR:
        body, content_type = answer
    if hasattr(body, "getvalue"):  # io.BytesIO, io.StringIO
        body = body.getvalue()
    status = _status(context)
    if isinstance(body, str):
        return Payload(body.encode(errors="replace"), str(content_type), status)
    if isinstance(body, bytes | bytearray | memoryview):
        return Payload(bytes(body), str(content_type), status)
    kind = type(body).__name__
    hint = f": {NO_BODY[kind]}" if kind in NO_BODY else ""
    raise PredictionError(f"The model's own code returned a {kind} where a str or bytes are needed{hint}.")


def encoded(prediction: Any, media_type: str, context: Context) -> Payload:
    """Write what predict_fn returned where there is no output_fn: one element a row; an object in JSON as it is."""
    prediction = _plain_form(prediction)
    if isinstance(prediction, Mapping) and media_type == JSON:
        return Payload(dump(prediction), JSON, _status(context))
    payload = encode(_rows(prediction), media_type)
    return Payload(payload.body, payload.content_type, _status(context))


def _plain_form(prediction: Any) -> Any:
    if prediction is None:
        raise PredictionError("predict_fn of the model's own code returned None: return the prediction.")
    if isinstance(prediction, bytes | bytearray | memoryview) or type(prediction).__module__.startswith("PIL."):
        raise PredictionError(f"predict_fn of the model's own code returned {type(prediction).__name__}: {WRITE}.")
    if isgenerator(prediction) or isinstance(prediction, Iterator):
        return list(prediction)
    if hasattr(prediction, "detach"):  # a tensor of PyTorch's, which may hold how it was computed
        return prediction.detach().cpu().numpy()
    return prediction.toarray() if hasattr(prediction, "toarray") else prediction


def _rows(prediction: Any) -> npt.NDArray[Any]:
    """An array with one element a row; NumPy would make text of numbers beside text, and numbers of true and false."""
    if not isinstance(prediction, list | tuple):
        return np.atleast_1d(np.asarray(prediction)) if hasattr(prediction, "__array__") else _one(prediction)
    if prediction and all(hasattr(row, "detach") for row in prediction):
        prediction = [_plain_form(row) for row in prediction]
    try:
        array = np.asarray(prediction)
    except ValueError:  # of several lengths
        array = None
    if array is not None and array.dtype.kind in "fiu" and not any(isinstance(row, bool) for row in prediction):
        return array
    rows = np.empty(len(prediction), dtype=object)
    for index, row in enumerate(prediction):
        rows[index] = list(row) if isinstance(row, tuple) else row
    return rows


def _one(prediction: Any) -> npt.NDArray[Any]:
    rows = np.empty((), dtype=object)
    rows[()] = prediction
    return rows


def _status(context: Context) -> int:
    status = FIRST if context.status is None else context.status
    if not FIRST <= status <= LAST:
        raise PredictionError(f"The model's own code set the status {status}: expected one from {FIRST} to {LAST}.")
    return status
