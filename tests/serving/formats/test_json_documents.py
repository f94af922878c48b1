"""What pandas and other clients write first: taken where its meaning is certain, or told what it is, and what to do."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from predictor.errors import Fault
from predictor.inputs.schema import Container, Schema
from tests.serving.decoding import refusal, rows
from tests.serving.schemas import a_schema

NAMED = a_schema(2, names=("age", "plan"), text={1}, container=Container.FRAME)
NAMELESS = a_schema(3)
FRAME = pd.DataFrame({"age": [30, 40], "plan": ["pro", "basic"]})
ARRAY = pd.DataFrame(np.arange(6).reshape(2, 3))
BY_COLUMN = (
    "This is a table by column, as pandas writes it by default. Send it by row: "
    'df.to_json(orient="records"), or df.to_dict("records") in Python.'
)


@pytest.mark.parametrize(
    "body",
    [
        FRAME.to_json(orient="records"),
        FRAME.to_json(orient="split"),
        FRAME.to_json(orient="split", index=False),
        FRAME.to_json(orient="values"),
        FRAME.to_json(orient="records", lines=False),
        json.dumps(FRAME.to_dict("split")),
        json.dumps({"data": FRAME.to_dict("records")}),
        json.dumps({"data": FRAME.to_numpy().tolist(), "columns": list(FRAME)}),
        json.dumps({"dataframe_split": FRAME.to_dict("split")}),
        json.dumps({"dataframe_records": FRAME.to_dict("records")}),
        json.dumps({"instances": FRAME.to_dict("records")}),
    ],
)
def test_what_pandas_writes_by_row_is_taken(body: str) -> None:
    assert rows(body.encode(), NAMED) == [[30, "pro"], [40, "basic"]]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (FRAME.to_json(), BY_COLUMN),
        (FRAME.to_json(orient="index"), 'This is pandas\' orient="index". Send df.to_json(orient="records").'),
        (FRAME.to_json(orient="table"), 'This is pandas\' orient="table". Send df.to_json(orient="records").'),
        (json.dumps(FRAME.to_dict("list")), BY_COLUMN),
        (json.dumps({"data": FRAME.to_dict("list")}), BY_COLUMN),
        (json.dumps({"data": json.loads(FRAME.to_json())}), BY_COLUMN),
        (json.dumps(FRAME.to_json()), "This is JSON inside a JSON string."),
        (json.dumps({"data": FRAME.to_json(orient="records")}), "This is JSON inside a JSON string."),
        (json.dumps({"inputs": FRAME.to_dict("list")}), "`inputs` is MLflow's and TensorFlow's name for tensors."),
        (json.dumps({"Data": [[30, "pro"]]}), "`Data` is written `data`."),
        (json.dumps({"x": [[30, "pro"]]}), "Expected exactly one of data, instances, dataframe_split,"),
        (json.dumps({"method": "predict"}), "Expected exactly one of data, instances, dataframe_split,"),
        (json.dumps({}), "Expected exactly one of data, instances, dataframe_split,"),
        (json.dumps({"columns": ["age", "plan"]}), "Expected exactly one of data, instances, dataframe_split,"),
    ],
)
def test_what_is_by_column_or_unknown_is_told_what_to_write(body: str, told: str) -> None:
    assert refusal(body.encode(), NAMED).detail.startswith(told)


@pytest.mark.parametrize(
    "body",
    [
        {"age": 30, "plan": "pro"},
        {"plan": "pro", "age": 30, "method": "predict"},
        {"plan": "pro", "age": 30, "method": ""},
        {"data": {"age": 30, "plan": "pro"}},
        {"data": {"age": 30, "plan": "pro"}, "method": "predict"},
        [30, "pro"],
        {"data": [30, "pro"]},
    ],
)
def test_one_record_or_row_stands_alone(body: Any) -> None:
    assert rows(body, NAMED) == [[30, "pro"]]


def test_what_is_wrong_in_a_lone_record_or_row_has_a_pointer_without_a_row() -> None:
    assert refusal({"age": "x", "plan": "pro"}, NAMED).errors == (Fault("/age", 'expected a number, got "x"'),)
    assert refusal({"data": {"age": "x", "plan": "pro"}}, NAMED).errors[0].pointer == "/data/age"
    assert refusal(["x", "pro"], NAMED).errors[0].pointer == "/0"
    assert refusal({"data": ["x", "pro"]}, NAMED).errors[0].pointer == "/data/0"


def test_a_feature_called_method_is_a_cell() -> None:
    schema = a_schema(2, names=("a", "method"), methods=("predict", "transform"))

    assert rows({"a": 1, "method": 2}, schema) == [[1, 2]]


def test_a_feature_with_the_name_of_a_field_is_a_cell() -> None:
    assert rows({"data": 1, "instances": 2}, a_schema(2, names=("data", "instances"))) == [[1, 2]]


@pytest.mark.parametrize("absent", [None, ""])
def test_null_and_nothing_are_absent(absent: Any) -> None:
    body = {"data": [[30, "pro"]], "columns": absent, "index": absent, "method": absent}

    assert rows(body, NAMED) == [[30, "pro"]]


@pytest.mark.parametrize("method", [0, False, [], {}])
def test_what_is_no_name_of_a_method_is_not_absent(method: Any) -> None:
    assert refusal({"data": [[30, "pro"]], "method": method}, NAMED).errors[0].pointer == "/method"


@pytest.mark.parametrize("index", [[], [0, 1], [0, 1, 2]])
def test_an_index_has_a_label_a_row(index: list[int]) -> None:
    refused = refusal({"columns": ["age", "plan"], "index": index, "data": [[30, "pro"]]}, NAMED)

    assert refused.errors == (Fault("/index", f"expected one label a row, 1 in all, got {len(index)}"),)


@pytest.mark.parametrize("orient", ["split", "records", "values"])
def test_labels_that_count_the_columns_are_no_names(orient: Any) -> None:
    body = ARRAY.to_json(orient=orient).encode()

    assert rows(body, NAMELESS) == [[0, 1, 2], [3, 4, 5]]
    if orient != "records":  # whose labels are text
        assert rows(body, a_schema(3, names=("a", "b", "c"))) == [[0, 1, 2], [3, 4, 5]]


def test_records_with_positions_for_names_may_come_in_any_order() -> None:
    assert rows({"2": 30, "0": 10, "1": 20}, NAMELESS) == [[10, 20, 30]]


def test_names_that_are_numbers_are_names() -> None:
    assert rows({"columns": [0, 1], "data": [[5, 6]]}, a_schema(2, names=("1", "0"))) == [[6, 5]]
    assert rows({"columns": [7, 5], "data": [[1, 2]]}, a_schema(2, names=("5", "7"))) == [[2, 1]]


@pytest.mark.parametrize(
    "columns", [[1, 2, 3], [0, 2, 1], [0.0, 1.0, 2.0], [0, 1, None], [True, False, 2], [[0], 1, 2]]
)
@pytest.mark.parametrize("schema", [NAMELESS, a_schema(3, names=("a", "b", "c"))])
def test_other_labels_that_are_no_names_are_refused(columns: Any, schema: Schema) -> None:
    refused = refusal({"columns": columns, "data": [[1, 2, 3]]}, schema)

    assert refused.detail.startswith("The body is not what the model takes: expected names, or 0 to n-1 in order, got ")


def test_a_name_in_another_normal_form_is_the_same_name() -> None:
    schema = a_schema(2, names=("caf\u00e9", "b"))

    assert rows({"columns": ["b", "cafe\u0301"], "data": [[1, 2]]}, schema) == [[2, 1]]
    assert rows({"cafe\u0301": 2, "b": 1}, schema) == [[2, 1]]
    assert rows("b,cafe\u0301\n1,2\n".encode(), schema, "text/csv") == [[2, 1]]


def test_names_that_differ_in_their_normal_form_only_are_two() -> None:
    schema = a_schema(2, names=("caf\u00e9", "cafe\u0301"))

    assert rows({"cafe\u0301": 2, "caf\u00e9": 1}, schema) == [[1, 2]]
