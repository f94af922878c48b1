"""Predictions as JSON and JSON Lines."""

import datetime as dt
import json
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pytest

from predictor.errors import NotAcceptableError, PredictionError
from predictor.formats.registry import encode

JSON = "application/json"
LINES = "application/jsonlines"
CSV = "text/csv"


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


class Seen(Enum):
    YES = "yes"


DAY = pd.Timestamp("2024-01-01")
NOON = pd.Timestamp("2024-01-01 12:00:00.5", tz="UTC")


@pytest.mark.parametrize(
    ("predictions", "as_json", "as_csv"),
    [
        ([DAY, NOON, pd.NaT], ["2024-01-01T00:00:00", "2024-01-01T12:00:00.500000+00:00", None], None),
        ([dt.date(2024, 1, 2), dt.time(3, 4)], ["2024-01-02", "03:04:00"], "2024-01-02\n03:04:00\n"),
        ([pd.Timedelta("1 days 00:00:01.5"), dt.timedelta(0)], ["PT86401.5S", "PT0S"], "PT86401.5S\nPT0S\n"),
        ([pd.Period("2024-01", "M"), pd.Interval(0, 1)], ["2024-01", "(0, 1]"], '2024-01\n"(0, 1]"\n'),
        ([b"a", "b"], ["a", "b"], "a\nb\n"),
        ([Decimal("1.10"), Decimal("NaN")], [1.1, None], "1.1\nnan\n"),
        (["a", None, pd.NA], ["a", None, None], 'a\n""\n""\n'),
        ([1, pd.NA, 2.5], [1, None, 2.5], '1\n""\n2.5\n'),
        ([{1: 0.5, 2.5: np.float32(2)}], [{"1": 0.5, "2.5": 2.0}], None),
        ([{np.int64(1): np.nan, None: 1, False: [np.int8(2)]}], [{"1": None, "null": 1, "false": [2]}], None),
        ([[1, "a"], [np.True_, (1, 2)]], [[1, "a"], [True, [1, 2]]], '1,a\nTrue,"[1, 2]"\n'),
        ([2**70, -1], [2**70, -1], f"{2**70}\n-1\n"),
        ([Seen.YES, UUID(int=1)], ["yes", str(UUID(int=1))], f"yes\n{UUID(int=1)}\n"),
        ([np.longdouble(1.5), np.float16(0.5)], [1.5, 0.5], "1.5\n0.5\n"),
        (["half \ud83d a pair", "b"], ["half \ud83d a pair", "b"], "half \ufffd a pair\nb\n"),
    ],
)
def test_what_no_format_knows_is_written_all_the_same(predictions: Any, as_json: Any, as_csv: str | None) -> None:
    array = np.empty(len(predictions), dtype=object)
    array[:] = predictions

    assert json.loads(encode(array, JSON).body) == {"predictions": as_json}
    lines = [json.loads(line)["prediction"] for line in encode(array, LINES).body.splitlines()]
    assert lines == as_json
    if as_csv is not None:
        assert encode(np.array(predictions, dtype=object), CSV).body.decode() == as_csv


@pytest.mark.parametrize(
    ("predictions", "expected"),
    [
        (np.array(["2024-01-01", "NaT"], "M8[ns]"), ["2024-01-01T00:00:00", None]),
        (np.array(["2024-01-01T00:00:00.25"], "M8[ns]"), ["2024-01-01T00:00:00.25"]),
        (np.array(["2024-01", "NaT"], "M8[M]"), ["2024-01", None]),
        (np.array([[1500, 1]], "m8[ms]"), [["PT1.5S", "PT0.001S"]]),
        (np.array([b"a", b"b"]), ["a", "b"]),
        (np.array([1.5], np.longdouble), [1.5]),
        (np.asarray(pd.Series([1, None], dtype="Int64")), [1, None]),
        (np.asarray(pd.Series(["a", None], dtype="string")), ["a", None]),
        (np.asarray(pd.DataFrame({"ds": [DAY], "yhat": [1.0]})), [["2024-01-01T00:00:00", 1.0]]),
    ],
)
def test_arrays_of_other_kinds(predictions: Any, expected: Any) -> None:
    assert json.loads(encode(predictions, JSON).body) == {"predictions": expected}


@pytest.mark.parametrize("value", [1j, object(), {1, 2}, b"\xff", [1, {2}]])
@pytest.mark.parametrize("media_type", [JSON, LINES, CSV])
def test_what_no_answer_can_hold_is_the_models_fault(value: Any, media_type: str) -> None:
    predictions = np.empty(1, dtype=object)
    predictions[0] = value

    with pytest.raises(PredictionError, match="which no answer can hold") as failed:
        encode(predictions, media_type)

    assert failed.value.status == 500


@pytest.mark.parametrize("predictions", [["a", 1], [None, "a"], [[1], [1, 2]], [DAY, 1]])
def test_npy_holds_numbers_or_text(predictions: Any) -> None:
    array = np.empty(2, dtype=object)
    array[:] = predictions

    with pytest.raises(NotAcceptableError, match="ask for application/json"):
        encode(array, "application/x-npy")
