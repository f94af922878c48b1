"""Requests as one batch, predictions as one array."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from predictor.errors import PredictionError
from predictor.inputs.rows import Columns, DecodedRequest, concatenate, one_a_row


def columns(*cells: object) -> Columns:
    return Columns(tuple(np.array([cell], dtype=object if isinstance(cell, str) else None) for cell in cells))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (np.array([[1.0, 2.0]]), np.array([[3.0, 4.0], [5.0, 6.0]]), [[1, 2], [3, 4], [5, 6]]),
        (sparse.csr_matrix([[1.0, 0]]), sparse.csr_matrix([[0, 2.0]]), [[1, 0], [0, 2]]),
        (columns("x", 1.0), columns("y", 2.0), [["x", 1], ["y", 2]]),
    ],
)
def test_requests_of_one_key_become_one(first: Any, second: Any, expected: Any) -> None:
    requests = [DecodedRequest(first, "predict"), DecodedRequest(second, "predict")]

    both = concatenate(requests)

    assert requests[0].batch_key == requests[1].batch_key == both.batch_key
    rows: Any = both.rows
    array: Any = rows.table() if isinstance(rows, Columns) else rows
    assert np.asarray(array.toarray() if sparse.issparse(array) else array).tolist() == expected
    assert len(both) == len(requests[0]) + len(requests[1])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (DecodedRequest(np.ones((1, 2)), "predict"), DecodedRequest(np.ones((1, 2)), "predict_proba")),
        (DecodedRequest(np.ones((1, 2)), "predict"), DecodedRequest(np.ones((1, 3)), "predict")),
        (DecodedRequest(np.ones((1, 2)), "predict"), DecodedRequest(np.ones((1, 2), dtype=object), "predict")),
        (DecodedRequest(np.ones((1, 2)), "predict"), DecodedRequest(sparse.csr_matrix([[1.0, 1.0]]), "predict")),
        (DecodedRequest(columns("x"), "predict"), DecodedRequest(columns(1.0), "predict")),
    ],
)
def test_requests_that_a_model_would_see_differently_have_different_keys(
    first: DecodedRequest, second: DecodedRequest
) -> None:
    assert first.batch_key != second.batch_key


@pytest.mark.parametrize(
    ("predictions", "expected"),
    [
        (np.array([1, 2]), [1, 2]),
        ([1, 2], [1, 2]),
        (["a", "b"], ["a", "b"]),
        ([[1, 2], [3, 4]], [[1, 2], [3, 4]]),
        (pd.Series([1, 2]), [1, 2]),
        (pd.DataFrame({"a": [1, 2], "b": [3, 4]}), [[1, 3], [2, 4]]),
        (sparse.csr_matrix([[0, 1], [2, 0]]), [[0, 1], [2, 0]]),
        # predict_proba of two outputs, of two and of two, then of two and of three classes
        ([np.array([[0, 1], [1, 0]]), np.array([[1, 0], [0, 1]])], [[[0, 1], [1, 0]], [[1, 0], [0, 1]]]),
        ([np.array([[0, 1], [1, 0]]), np.array([[1, 0, 0], [0, 1, 0]])], [[[0, 1], [1, 0, 0]], [[1, 0], [0, 1, 0]]]),
    ],
)
def test_predictions_have_an_element_a_row(predictions: Any, expected: Any) -> None:
    assert one_a_row(predictions, 2).tolist() == expected


@pytest.mark.parametrize("predictions", [np.array([1, 2, 3]), np.array([]), np.array(1), [1]])
def test_another_number_of_predictions_is_the_models_failure(predictions: Any) -> None:
    with pytest.raises(PredictionError, match=r"The model gave \d predictions for 2 rows."):
        one_a_row(predictions, 2)
