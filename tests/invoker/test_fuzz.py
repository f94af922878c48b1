"""Whatever comes in, API Gateway gets an answer that it takes, and no fault of the caller's looks like ours."""

import base64
import json
import math
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.invoker.conftest import Invoker
from tests.invoker.misbehaving import PREDICTIONS, Endpoint

FINITE = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**64), 2**64)
CELLS = FINITE | st.booleans() | st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
JSON = st.recursive(
    CELLS | st.floats(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
)
TEXTS = st.text() | JSON.map(json.dumps) | st.binary().map(lambda data: base64.b64encode(data).decode())
HEADERS = st.dictionaries(
    st.sampled_from(["content-type", "Content-Type", "traceparent", "X-Amzn-Trace-Id", "accept"]) | st.text(max_size=5),
    st.sampled_from(["application/json", "text/csv", "*/*"]) | st.text(max_size=20),
    max_size=4,
)
EVENTS = st.fixed_dictionaries(
    {
        "httpMethod": st.sampled_from(["POST", "POST", "POST", "GET", "PUT", "HEAD"]),
        "resource": st.sampled_from(["/predict", "/predict", "/predict", "/health", "/docs/{asset}", "/x", ""]),
        "path": st.text(max_size=5),
        "headers": st.none() | HEADERS,
        "pathParameters": st.none() | st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=1),
        "body": st.none() | TEXTS,
        "isBase64Encoded": st.booleans(),
        "requestContext": st.fixed_dictionaries({"requestId": st.text(max_size=70) | st.uuids().map(str)}),
    }
)
FUZZ = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(event=EVENTS)
def test_no_event_breaks_the_answer_or_makes_a_fault_of_ours(invoke: Invoker, event: dict[str, Any]) -> None:
    answer = invoke(event)

    assert answer.status == 200 or 400 <= answer.status < 500
    if answer.status != 200:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json["status"] == answer.status


def is_json(value: Any) -> bool:
    """Whether Python writes the value without NaN and infinities."""
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True


def table(rows: list[list[Any]]) -> bool:
    """Whether these are rows of two numbers; an empty or a ragged one is none."""
    return bool(rows) and all(len(row) == 2 and all(type(cell) in (int, float) for cell in row) for row in rows)


@FUZZ
@given(rows=st.lists(st.lists(CELLS, max_size=4), max_size=4), spaces=st.sampled_from(["", " ", "\n\t"]))
@example(rows=[[1, 2], [3.5, -4]], spaces=" ")
def test_a_table_passes_byte_by_byte_and_nothing_else_does(
    invoke: Invoker, sagemaker: Endpoint, rows: list[list[Any]], spaces: str
) -> None:
    body = spaces + json.dumps({"data": rows}, ensure_ascii=False) + spaces
    sagemaker.received.clear()

    answer = invoke({"httpMethod": "POST", "resource": "/predict", "headers": {}, "body": body})

    if table(rows):
        assert (answer.status, answer.body) == (200, PREDICTIONS.decode())
        assert [received.body for received in sagemaker.received] == [body.encode()]
    else:
        assert answer.status == 400
        assert sagemaker.received == []


@FUZZ
@given(value=JSON, row=st.integers(0, 2), column=st.integers(0, 1))
@example(value=float("nan"), row=0, column=0)
def test_one_bad_cell_is_found_wherever_it_is(invoke: Invoker, value: Any, row: int, column: int) -> None:
    rows: list[list[Any]] = [[0, 0], [0, 0], [0, 0]]
    rows[row][column] = value
    good = type(value) is int or (isinstance(value, float) and math.isfinite(value))

    answer = invoke({"httpMethod": "POST", "resource": "/predict", "headers": {}, "body": json.dumps({"data": rows})})

    if good:
        assert answer.status == 200
    elif not is_json(value):
        assert "send null for a missing value" in answer.json["detail"]
    else:
        assert [each["pointer"] for each in answer.json["errors"]] == [f"/data/{row}/{column}"]
