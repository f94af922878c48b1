"""Golden requests: read, written, compared."""

import json
from pathlib import Path
from typing import Any

import pytest

from golden.requests import GoldenFileError, GoldenRequest, compare, read, write

ITEM = GoldenRequest("golden request 0", {"data": [[1, 2]]}, {"predictions": [0.25]})


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    write(tmp_path / "golden.json", [ITEM])

    assert read(tmp_path / "golden.json") == (ITEM,)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is not JSON"),
        ("{}", "expected a list with at least one item"),
        ("[]", "expected a list with at least one item"),
        ('[{"request": 1}]', 'expected {"request": ..., "answer": ...} at /0'),
        ('[{"request": 1, "answer": 2}, 3]', 'expected {"request": ..., "answer": ...} at /1'),
    ],
)
def test_a_file_that_is_none_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "golden.json").write_text(text)

    with pytest.raises(GoldenFileError) as caught:
        read(tmp_path / "golden.json")

    assert sentence in str(caught.value)


def test_a_missing_file_says_how_to_write_it(tmp_path: Path) -> None:
    with pytest.raises(GoldenFileError, match="make golden"):
        read(tmp_path / "golden.json")


@pytest.mark.parametrize(
    ("expected", "actual", "differences"),
    [
        ({"predictions": [1, 2]}, {"predictions": [1, 2]}, []),
        ({"predictions": [1.0]}, {"predictions": [1.0 + 1e-9]}, []),
        ({"predictions": [1]}, {"predictions": [1.0]}, []),
        ({"predictions": [1.0]}, {"predictions": [1.001]}, ["/predictions/0: expected 1.0, got 1.001"]),
        ({"predictions": [1]}, {"predictions": [True]}, ["/predictions/0: expected 1, got true"]),
        ({"predictions": ["a"]}, {"predictions": ["b"]}, ['/predictions/0: expected "a", got "b"']),
        ({"predictions": [1, 2]}, {"predictions": [1]}, ["/predictions: expected 2 elements, got 1"]),
        ({"predictions": None}, {"results": 1}, ["/predictions: missing", "/results: not expected"]),
        ({"predictions": [None]}, {"predictions": [0]}, ["/predictions/0: expected null, got 0"]),
    ],
)  # fmt: skip
def test_each_difference_is_pointed_at(expected: Any, actual: Any, differences: list[str]) -> None:
    assert list(compare(expected, actual)) == differences


def test_another_status_is_a_difference() -> None:
    assert ITEM.differences(503, b'{"title": "busy"}') == ['expected 200, got 503: {"title": "busy"}']


def test_an_answer_that_is_not_json_is_a_difference() -> None:
    assert ITEM.differences(200, b"<html>") == ["expected JSON, got <html>"]


def test_the_expected_answer_is_none() -> None:
    assert ITEM.differences(200, json.dumps({"predictions": [0.25]}).encode()) == []
