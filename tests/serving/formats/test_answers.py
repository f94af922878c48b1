"""Predictions as JSON and JSON Lines."""

from typing import Any

import numpy as np
import pytest

from predictor.errors import NotAcceptableError
from predictor.formats.registry import encode

JSON = "application/json"
LINES = "application/jsonlines"


@pytest.mark.parametrize(
    ("predictions", "expected"),
    [
        (np.array([1, 2]), b'{"predictions":[1,2]}'),
        (np.array([0.1, 2.0]), b'{"predictions":[0.1,2.0]}'),
        (np.array([[0.25, 0.75]]), b'{"predictions":[[0.25,0.75]]}'),
        (np.array(["a", "é"]), '{"predictions":["a","é"]}'.encode()),
        (np.array(["a", None, 1], dtype=object), b'{"predictions":["a",null,1]}'),
        (np.array([True, False]), b'{"predictions":[true,false]}'),
        (np.array([np.nan, np.inf, -np.inf, 1.5]), b'{"predictions":[null,null,null,1.5]}'),
        (np.array([[1.5, np.nan]]), b'{"predictions":[[1.5,null]]}'),
        (np.asfortranarray([[1, 2], [3, 4]]), b'{"predictions":[[1,2],[3,4]]}'),
        (np.arange(6)[::2], b'{"predictions":[0,2,4]}'),
        (np.array([1.5], dtype=">f8"), b'{"predictions":[1.5]}'),
    ],
)
def test_answers(predictions: Any, expected: bytes) -> None:
    assert encode(predictions, JSON).body == expected


def test_an_answer_of_lines_has_a_line_a_row() -> None:
    predictions = np.array([[0.5, np.nan], [1, 0]])

    assert encode(predictions, LINES).body == b'{"prediction":[0.5,null]}\n{"prediction":[1.0,0.0]}\n'


def test_predictions_that_json_cannot_hold_are_said_to_be() -> None:
    with pytest.raises(NotAcceptableError, match="JSON cannot hold these predictions"):
        encode(np.array([1j]), JSON)
