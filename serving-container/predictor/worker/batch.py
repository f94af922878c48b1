"""A batch of requests through the model: decode each, predict those that fit together at once, encode each.

Whatever goes wrong with a request is that request's answer alone.
"""

import json
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ParamSpec, TypeVar

import numpy.typing as npt

from predictor.errors import PROBLEM_MEDIA_TYPE, PredictionError, PredictorError, problem
from predictor.formats.json import dump
from predictor.formats.registry import decode, encode, negotiate
from predictor.inputs.rows import DecodedRequest, concatenate
from predictor.inputs.schema import Schema
from predictor.ipc import Request, Response
from predictor.logs import log
from predictor.models.base import Model

SKIP = "; on-error=skip"
LINES = "application/jsonlines"
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Member:
    """A decoded request and its place in the batch."""

    place: int
    request: Request
    decoded: DecodedRequest
    media_type: str


def respond(model: Model, requests: Sequence[Request], told: set[Hashable] | None = None) -> list[Response]:
    """Answer each request, in order; `told` holds the failures that the log has of these requests already."""
    told = set() if told is None else told
    answers: dict[int, Response] = {}
    groups: dict[Hashable, list[Member]] = {}
    for place, request in enumerate(requests):
        member = attempt(_decode, place, request, model.schema)
        if isinstance(member, PredictorError):
            answers[place] = refusal(member, request, told)
        else:
            groups.setdefault(member.decoded.batch_key, []).append(member)
    for group in groups.values():
        answers |= _predict(model, group, told)
    return [_by_line(model, request, answers[place], told) for place, request in enumerate(requests)]


def _by_line(model: Model, request: Request, answer: Response, told: set[Hashable]) -> Response:
    """Where a file would fail over one bad line, a body may ask for `on-error=skip`: that line's answer is its error.

    Halves are asked until the line is alone. A line's end within quotes of CSV would be cut at.
    """
    if answer.status < HTTPStatus.BAD_REQUEST or SKIP not in (request.content_type or "") or request.accept != LINES:
        return answer
    lines = request.body.removesuffix(b"\n").split(b"\n")
    if len(lines) == 1:
        return Response(200, LINES, dump({"error": json.loads(answer.body)["detail"]}) + b"\n", 1)
    middle = len(lines) // 2
    halves = [b"\n".join(half) for half in (lines[:middle], lines[middle:])]
    parts = respond(model, [request._replace(body=half) for half in halves], told)
    return Response(200, LINES, b"".join(part.body for part in parts), len(lines))


def attempt(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | PredictorError:
    """Call `function` and return what it raises; what it should not raise is a PredictionError with a fixed text."""
    try:
        return function(*args, **kwargs)
    except PredictorError as error:
        return error
    except (Exception, SystemExit) as error:  # noqa: BLE001  # a model's code may raise anything, and only its request may suffer
        failure = PredictionError("The model failed on this request; the server's log says why.")
        failure.__cause__ = error
        return failure


def refusal(error: PredictorError, request: Request, told: set[Hashable]) -> Response:
    """Make an error an answer; the log gets the cause of a failure, once for a kind and request."""
    kind = (request.request_id, error.detail, type(error.__cause__))
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR and kind not in told:
        told.add(kind)
        log.error(error.detail, exc_info=error, extra={"fields": {"request_id": request.request_id}})
    return Response(error.status, PROBLEM_MEDIA_TYPE, problem(error, request.request_id))


def _decode(place: int, request: Request, schema: Schema) -> Member:
    media_type = negotiate(request.accept, request.content_type)
    return Member(place, request, decode(request.body, request.content_type, schema), media_type)


def _predict(model: Model, members: Sequence[Member], told: set[Hashable]) -> dict[int, Response]:
    """Predict members as one; when that fails, each alone, so that only the one at fault fails."""
    predictions = attempt(_predict_rows, model, [member.decoded for member in members])
    if not isinstance(predictions, PredictorError):
        return _slices(members, predictions, told)
    if len(members) == 1:
        return {members[0].place: refusal(predictions, members[0].request, told)}
    return {place: answer for member in members for place, answer in _predict(model, [member], told).items()}


def _predict_rows(model: Model, requests: Sequence[DecodedRequest]) -> npt.NDArray[Any]:
    batch = concatenate(requests)
    predictions = model.predict(batch.rows, batch.method)
    if len(predictions) != len(batch):
        raise PredictionError(f"The model gave {len(predictions)} predictions for {len(batch)} rows.")
    return predictions


def _slices(members: Sequence[Member], predictions: npt.NDArray[Any], told: set[Hashable]) -> dict[int, Response]:
    """Give each member its own rows' predictions."""
    answers = {}
    start = 0
    for member in members:
        end = start + len(member.decoded)
        answers[member.place] = _encode(member, predictions[start:end], told)
        start = end
    return answers


def _encode(member: Member, predictions: npt.NDArray[Any], told: set[Hashable]) -> Response:
    payload = attempt(encode, predictions, member.media_type)
    if isinstance(payload, PredictorError):
        return refusal(payload, member.request, told)
    return Response(200, payload.content_type, payload.body, len(predictions))
