"""JSON in every shape, and what is wrong with it."""

import json
from typing import Any

import numpy as np
import pytest

from predictor.errors import Fault
from predictor.formats.registry import decode
from tests.serving.decoding import JSON, PAIRS, refusal, rows
from tests.serving.schemas import a_schema

LINES = "application/jsonlines"
NAMED = a_schema(2, names=("a", "b"))
METHODS = a_schema(2, methods=("predict", "predict_proba"))


@pytest.mark.parametrize(
    "body",
    [
        {"data": [[1, 2], [3.5, 4]]},
        {"data": [[1, 2], [3.5, 4]], "method": "predict"},
        {"instances": [[1, 2], [3.5, 4]]},
        {"instances": [{"features": [1, 2]}, {"features": [3.5, 4]}]},
        {"instances": [{"features": [1, 2], "configuration": {"x": 1}}, {"features": [3.5, 4]}]},
        {"instances": [{"data": {"features": {"values": [1, 2]}}}, {"data": {"features": [3.5, 4]}}]},
        {"instances": [{"data": {"features": {"keys": [1, 0], "shape": [2], "values": [2, 1]}}}, [3.5, 4]]},
        [[1, 2], [3.5, 4]],
        [{"features": [1, 2]}, {"features": [3.5, 4]}],
    ],
)
def test_every_shape_of_rows(body: Any) -> None:
    assert rows(body) == [[1, 2], [3.5, 4]]


@pytest.mark.parametrize(
    "body",
    [
        {"data": [[1, 2], [3.5, 4]], "columns": ["a", "b"]},
        {"columns": ["a", "b"], "index": [0, 1], "data": [[1, 2], [3.5, 4]]},
        {"dataframe_split": {"columns": ["a", "b"], "index": [0, 1], "data": [[1, 2], [3.5, 4]]}},
        {"dataframe_records": [{"a": 1, "b": 2}, {"a": 3.5, "b": 4}]},
        {"instances": [{"a": 1, "b": 2}, {"a": 3.5, "b": 4}]},
        [{"a": 1, "b": 2}, {"a": 3.5, "b": 4}],
    ],
)
def test_every_shape_of_named_columns(body: Any) -> None:
    assert rows(body, NAMED) == [[1, 2], [3.5, 4]]
    assert refusal(body).detail == (
        "The model was trained without column names: leave out `columns` and send the features in the order of "
        "training, as lists."
    )


def test_a_flat_list_is_one_row() -> None:
    # SageMaker SDK's JSONSerializer writes an array of one dimension so.
    assert rows([1, 2]) == [[1, 2]]


def test_single_cells_are_rows_of_one_feature() -> None:
    assert rows({"instances": [1, 2]}, a_schema(1)) == [[1], [2]]


def test_rows_are_doubles() -> None:
    found: Any = decode(b'{"data": [[1, 2]]}', JSON, PAIRS).rows

    assert found.dtype == np.float64


def test_booleans_are_numbers() -> None:
    assert rows({"data": [[True, False]]}) == [[1, 0]]


def test_missing_values_are_nan_for_a_model_that_takes_them() -> None:
    found = decode(b'{"data": [[null, 2]]}', JSON, a_schema(2, missing=True)).rows

    np.testing.assert_array_equal(found, [[np.nan, 2]])


def test_a_byte_order_mark_is_skipped() -> None:
    assert rows(b'\xef\xbb\xbf{"data": [[1, 2]], "method": "predict"}') == [[1, 2]]


@pytest.mark.parametrize(
    "body",
    [
        {"columns": ["b", "a"], "data": [[2, 1]]},
        {"dataframe_split": {"columns": ["b", "a"], "data": [[2, 1]]}},
        [{"b": 2, "a": 1}],
        {"instances": [{"b": 2, "a": 1}]},
    ],
)
def test_named_columns_may_come_in_any_order(body: Any) -> None:
    assert rows(body, NAMED) == [[1, 2]]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (
            {"columns": ["a", "c"], "data": [[1, 2]]},
            'Wrong columns: missing "b"; unknown "c". The model\'s columns: "a", "b".',
        ),
        ([{"a": 1}], 'Wrong columns: missing "b". The model\'s columns: "a", "b".'),
        ({"columns": ["a", "a"], "data": [[1, 2]]}, 'Column names repeat: "a".'),
        ({"columns": ["a"], "data": [[1, 2]]}, "Expected a name for each of 2 columns, got 1."),
    ],
)
def test_wrong_columns(body: Any, detail: str) -> None:
    assert refusal(body, NAMED).detail.startswith(detail)


@pytest.mark.parametrize("index", [{}, {"index": [0]}])
def test_columns_in_another_order_with_a_method(index: Any) -> None:
    schema = a_schema(2, names=("a", "b"), methods=("predict", "transform"))
    request = decode(
        json.dumps({"columns": ["b", "a"], "data": [[2, 1]], "method": "transform"} | index).encode(), JSON, schema
    )

    assert (np.asarray(request.rows).tolist(), request.method) == ([[1, 2]], "transform")


def test_columns_that_the_model_makes_no_use_of_may_come_or_not() -> None:
    schema = a_schema(2, names=("a", "b"), ignored=frozenset({"id"}))

    assert rows([{"b": 2, "id": "x", "a": 1}], schema) == [[1, 2]]
    assert rows([{"b": 2, "a": 1}], schema) == [[1, 2]]


@pytest.mark.parametrize(
    ("body", "detail", "faults"),
    [
        (
            {"data": [[1, 2], [3, "x"], [None, True]]},
            'A cell is not what the model takes: expected a number, got "x" at /data/1/1.',
            (Fault("/data/1/1", 'expected a number, got "x"'), Fault("/data/2/0", "expected a number, got null")),
        ),
        (
            {"data": [[1, "1.5"]]},
            'A cell is not what the model takes: expected a number, got "1.5" at /data/0/1.',
            (Fault("/data/0/1", 'expected a number, got "1.5"'),),
        ),
        (
            {"data": [[1, [2]], [3, 4]]},
            "A cell is not what the model takes: expected a number, got a list at /data/0/1.",
            (Fault("/data/0/1", "expected a number, got a list"),),
        ),
        (
            {"data": [[1, 2], [3]]},
            "Rows differ in length: expected 2 cells as in row 0, got 1, in row 1.",
            (Fault("/data/1", "expected 2 cells as in row 0, got 1"),),
        ),
        (
            {"data": [[1, 2, 3]]},
            "Wrong number of features: expected 2 features, got 3, in row 0.",
            (Fault("/data/0", "expected 2 features, got 3"),),
        ),
        (
            {"instances": [{"features": [1]}]},
            "Wrong number of features: expected 2 features, got 1, in row 0.",
            (Fault("/instances/0", "expected 2 features, got 1"),),
        ),
        (
            {"instances": [{"features": [1, "x"]}]},
            'A cell is not what the model takes: expected a number, got "x" at /instances/0/features/1.',
            (Fault("/instances/0/features/1", 'expected a number, got "x"'),),
        ),
        (
            {"data": [[1, 2], 3]},
            "The body is not what the model takes: row 1: expected a list of cells, got 3.",
            (Fault("/data/1", "row 1: expected a list of cells, got 3"),),
        ),
        (
            {"data": 1, "columns": ["a"]},
            "The body is not what the model takes: expected a list of rows, got 1.",
            (Fault("/data", "expected a list of rows, got 1"),),
        ),
        (
            {"data": ["ab", "cd"]},
            'A cell is not what the model takes: expected a number, got "ab" at /data/0.',
            (Fault("/data/0", 'expected a number, got "ab"'), Fault("/data/1", 'expected a number, got "cd"')),
        ),
        (
            {"data": [{"a": 1, "b": 2}], "columns": ["a", "b"]},
            "The body is not what the model takes: row 0: expected a list of cells, got an object.",
            (Fault("/data/0", "row 0: expected a list of cells, got an object"),),
        ),
        (
            {"data": 1},
            "The body is not what the model takes: expected a list of rows, got 1.",
            (Fault("/data", "expected a list of rows, got 1"),),
        ),
        (
            [{"a": 1, "b": 2}, {"a": 1, "c": 2}],
            'The body is not what the model takes: row 0: missing column "c".',
            (Fault("/0", 'row 0: missing column "c"'),),
        ),
        (
            {"data": [[1, 2]], "x": 1},
            "The body is not what the model takes: unknown field; known are data, columns, index, method.",
            (Fault("/x", "unknown field; known are data, columns, index, method"),),
        ),
        (
            {"data": []},
            "The body is not what the model takes: expected at least one row, got none.",
            (Fault("/data", "expected at least one row, got none"),),
        ),
        (
            [],
            "The body is not what the model takes: expected at least one row, got none.",
            (Fault("", "expected at least one row, got none"),),
        ),
        (
            "text",
            'The body is not what the model takes: expected an object or an array, got "text".',
            (Fault("", 'expected an object or an array, got "text"'),),
        ),
        (
            {"rows": [[1, 2]]},
            (
                "`rows` is not known. Expected exactly one of data, instances, dataframe_split, dataframe_records, got "
                'none. Send the rows as {"data": [...]}.'
            ),
            (),
        ),
        (
            {"data": [[1, 2]], "instances": [[1, 2]]},
            "Expected exactly one of data, instances, dataframe_split, dataframe_records, got data and instances.",
            (),
        ),
    ],
)
def test_what_is_wrong_and_where(body: Any, detail: str, faults: tuple[Fault, ...]) -> None:
    refused = refusal(body)

    assert (refused.detail, refused.errors) == (detail, faults)


def test_a_pointer_to_a_named_column_is_escaped() -> None:
    refused = refusal([{"a/b": 1, "c~d": {}}], a_schema(2, names=("a/b", "c~d")))

    assert refused.errors == (Fault("/0/c~0d", "expected a number, got an object"),)


def test_only_the_first_faults_are_listed() -> None:
    assert len(refusal({"data": [["x", "y"]] * 1000}).errors) == 10


def test_a_long_wrong_cell_is_cut() -> None:
    assert len(refusal({"data": [["x" * 100_000, 1]]}).detail) < 200


def test_the_method_is_read_from_the_body_or_the_content_type() -> None:
    body = json.dumps({"data": [[1, 2]], "method": "predict_proba"}).encode()

    assert decode(body, JSON, METHODS).method == "predict_proba"
    assert decode(b"[[1, 2]]", f"{JSON}; method=predict_proba", METHODS).method == "predict_proba"
    assert decode(b'{"data": [[1, 2]]}', f"{JSON}; method=predict_proba", METHODS).method == "predict_proba"
    assert decode(b"[[1, 2]]", JSON, METHODS).method == "predict"


@pytest.mark.parametrize("method", ["fit", "__class__", 1, None, ["predict"], {"a": 1}])
def test_a_method_that_is_not_offered_is_refused_with_those_that_are(method: Any) -> None:
    if method is None:  # null is no choice
        assert rows({"data": [[1, 2]], "method": None}, METHODS) == [[1, 2]]
        return
    refused = refusal({"data": [[1, 2]], "method": method}, METHODS)

    assert refused.detail.startswith(
        "The model does not offer this method: expected one of predict, predict_proba, got "
    )
    assert [fault.pointer for fault in refused.errors] == ["/method"]


def test_lines_hold_rows_records_or_instances() -> None:
    assert rows(b"[1, 2]\n\n[3, 4]\r\n", content_type=LINES) == [[1, 2], [3, 4]]
    assert rows(b'{"b": 2, "a": 1}\n{"a": 3, "b": 4}', NAMED, LINES) == [[1, 2], [3, 4]]
    assert rows(b'{"features": [1, 2]}\n[3, 4]\n', content_type=LINES) == [[1, 2], [3, 4]]


def test_a_wrong_line_is_named() -> None:
    assert refusal(b"[1, 2]\n[1, 2\n", content_type=LINES).detail.startswith("Line 2 is not JSON: ")
    assert refusal(b'[1, 2]\n[3, "x"]\n', content_type=LINES).errors == (Fault("/1/1", 'expected a number, got "x"'),)
    assert refusal(b"\n\n", content_type=LINES).detail.endswith(": expected at least one row, got none.")
