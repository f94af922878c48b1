"""What the API accepts.

Edit `PredictRequest` to change it, then `make openapi`: validation, docs and API Gateway's validator follow.
"""

import gc
import json
from collections import Counter
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    FailFast,
    Field,
    FiniteFloat,
    GetPydanticSchema,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import CoreSchema, ErrorDetails, InitErrorDetails, PydanticCustomError, core_schema

from invoker.errors import Failure, InvokerError, Problem

# As many problems as one answer lists.
MAX_PROBLEMS = 20
# Above it there are unknown keys only, all else stops at its first error; listing half a million takes a second.
MAX_ERRORS = 1000
# The quotes of two names.
TWO_NAMES = 4
CELL = "expected a finite number, a string, a boolean or null"
# What a row is tried as; pydantic puts it into the place of an error: ("data", 3, "<cells>", 1).
NUMBERS = "<numbers>"
CELLS = "<cells>"


def _one_error(source: Any, handler: Any) -> CoreSchema:
    """Make the union report one error at the cell, not one for each of its types."""
    return {**handler(source), "custom_error_type": "cell", "custom_error_message": CELL}


def _numbers_first(source: Any, handler: Any) -> CoreSchema:
    """Try a row as numbers only: asking each cell for its type makes a table of numbers a quarter slower to read."""
    numbers = core_schema.list_schema(core_schema.float_schema(allow_inf_nan=False), min_length=1, fail_fast=True)
    return core_schema.union_schema([(numbers, NUMBERS), (handler(source), CELLS)], mode="left_to_right")


def _documented(schema: Any, handler: Any) -> dict[str, Any]:
    """Describe the row that is any row."""
    described: dict[str, Any] = handler(schema["choices"][-1][0])
    return described


# Numbers come first: a union tried left to right costs them nothing.
Scalar = Annotated[FiniteFloat | str | bool, GetPydanticSchema(_one_error), Field(union_mode="left_to_right")]
# The first bad cell ends a row, and the first bad row the table: a body of a million bad cells costs no more.
Row = Annotated[list[Scalar | None], Field(min_length=1), FailFast(), GetPydanticSchema(_numbers_first, _documented)]


class PredictRequest(BaseModel):
    """Rows to predict, one prediction each."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, title="PredictRequest")

    data: Annotated[list[Row], Field(min_length=1, description="Rows, equally long."), FailFast()]
    columns: Annotated[
        list[str],
        Field(default_factory=list, min_length=1, description="A name for each cell of a row, all different."),
        FailFast(),
    ]
    method: Annotated[
        Literal["predict", "predict_proba", "decision_function", "transform"],
        Field(description="The model's method to call."),
    ] = "predict"

    @model_validator(mode="after")
    def _table(self, info: ValidationInfo) -> "PredictRequest":
        """Check what concerns several places at once: the number of rows, their lengths, the columns."""
        max_rows = (info.context or {}).get("max_rows", len(self.data))
        width = len(self.data[0])
        if len(self.data) > max_rows:
            raise _at(("data",), f"expected at most {max_rows} rows, got {len(self.data)}")
        if len(set(map(len, self.data))) > 1:
            ragged = next(i for i, row in enumerate(self.data) if len(row) != width)
            raise _at(("data", ragged), f"expected {width} cells, as in row 0, got {len(self.data[ragged])}")
        if self.columns and len(self.columns) != width:
            raise _at(("columns",), f"expected {width} names, one for each cell of a row, got {len(self.columns)}")
        if len(set(self.columns)) != len(self.columns):
            raise _at(("columns",), "expected names that are all different")
        return self


def _at(location: tuple[str | int, ...], message: str) -> ValidationError:
    error = PydanticCustomError("table", "{message}", {"message": message})
    detail = InitErrorDetails(type=error, loc=location, input=None)
    return ValidationError.from_exception_data("PredictRequest", [detail])


KEYS = ", ".join(PredictRequest.model_fields)
MESSAGES = {
    "missing": "is required",
    "extra_forbidden": f"is not known; known are {KEYS}",
    "list_type": "expected an array",
    "model_type": "expected an object",
    "string_type": "expected a string",
    "too_short": "expected at least one element",
    "duplicate": "stands more than once",
}


def read(body: bytes, *, max_rows: int) -> PredictRequest:
    """Raise InvokerError when `body` is not JSON, or not a PredictRequest."""
    if not body:
        raise InvokerError(Failure.BAD_REQUEST, 'The body is empty. Send JSON such as {"data": [[1, 2], [3, 4]]}.')
    # JSON has no cycles: looking for garbage among a million rows takes longer than reading them.
    gc.disable()
    try:
        request = PredictRequest.model_validate_json(body, context={"max_rows": max_rows})
        _refuse_duplicates(body)
    except ValidationError as error:
        raise _refusal(error) from error
    finally:
        gc.enable()
    return request


def _refusal(error: ValidationError) -> InvokerError:
    if error.error_count() > MAX_ERRORS:
        return _unexpected([Problem("", f"expected no keys but {KEYS}")])
    details = error.errors(include_url=False, include_context=False, include_input=False)
    if details[0]["type"] == "json_invalid":
        return InvokerError(Failure.BAD_REQUEST, f"The body is not JSON in UTF-8. {details[0]['msg']}.")
    told = [detail for detail in details if detail["loc"][2:3] != (NUMBERS,)][:MAX_PROBLEMS]
    return _unexpected([Problem(pointer(_place(detail["loc"])), _message(detail)) for detail in told])


def _unexpected(problems: list[Problem]) -> InvokerError:
    return InvokerError(Failure.BAD_REQUEST, "The body is not what the API expects; see `errors`.", problems)


def _place(location: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Leave out what a row was tried as."""
    return location[:2] + location[3:] if location[2:3] == (CELLS,) else location


def _message(detail: ErrorDetails) -> str:
    return MESSAGES.get(detail["type"], detail["msg"].replace("Input should be", "expected"))


def pointer(location: tuple[int | str, ...]) -> str:
    """Write a place as an RFC 6901 pointer: ("data", 3, 1) is /data/3/1."""
    steps = (str(step)[:100].replace("~", "~0").replace("/", "~1") for step in location)
    return "".join(f"/{step}" for step in steps)


def _refuse_duplicates(body: bytes) -> None:
    """Refuse a name that stands twice: JSON parsers differ in which they take, and the container has another.

    The body is read a second time only if a name could stand twice: it occurs twice as text, or an escape may hide one.
    Most bodies are numbers after one name, which is told from the body's end.
    """
    if body.count(b'"', 0, body.rfind(b'"') + 1) < TWO_NAMES:
        return
    if b"\\" in body or any(body.count(f'"{name}"'.encode()) > 1 for name in PredictRequest.model_fields):
        json.loads(body, object_pairs_hook=_unique)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    counts = Counter(name for name, _ in pairs)
    if duplicates := [name for name, count in counts.items() if count > 1]:
        raise _unexpected([Problem(pointer((name,)), MESSAGES["duplicate"]) for name in duplicates])
    return dict(pairs)
