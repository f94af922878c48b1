import contextlib
import gc
import json
from typing import Any

import pytest

from invoker.errors import Failure, InvokerError, Problem
from invoker.schema import MAX_PROBLEMS, pointer, read
from tests.failing import failing

CELL = "expected a finite number, a string, a boolean or null"


def problems(body: bytes, max_rows: int = 100) -> list[Problem]:
    with failing(Failure.BAD_REQUEST) as caught:
        read(body, max_rows=max_rows)
    return list(caught.value.problems)


def test_cells_are_numbers_strings_booleans_and_nulls() -> None:
    request = read(b'{"data": [[1, -2.5e3, "a", true, null]]}', max_rows=1)

    assert request.data == [[1, -2500.0, "a", True, None]]
    assert (request.columns, request.method) == ([], "predict")


@pytest.mark.parametrize("row", [[1, -2.5e3], [1, "2"], ["1", "2"], [True, False], [True, 1], [None, None], [1, None]])
def test_a_cell_keeps_its_type_whatever_else_the_row_has(row: list[Any]) -> None:
    [kept] = read(json.dumps({"data": [row]}).encode(), max_rows=1).data

    assert kept == row
    assert [isinstance(cell, bool) for cell in kept] == [isinstance(cell, bool) for cell in row]


@pytest.mark.parametrize("cell", ["{}", "[]", "NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400])
def test_any_other_cell_is_pointed_at_once(cell: str) -> None:
    assert problems(f'{{"data": [[0, 0], [0, {cell}]]}}'.encode()) == [Problem("/data/1/1", CELL)]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"data=1",
        b'{"data": [[1,]]}',
        b'{"data": [[01]]}',
        b"{'data': [[1]]}",
        b'{"data": [[1]]} {}',
        b'\xef\xbb\xbf{"data": [[1]]}',
        '{"data": [[1]]}'.encode("utf-16"),
        b'{"data": [["\xff"]]}',
        b'{"data": [["\\ud800"]]}',
        b"[" * 100_000,
        b'{"data": [[' + b"1" * 5_000 + b"]]}",
    ],
)
def test_what_is_no_json_is_a_bad_request(body: bytes) -> None:
    with failing(Failure.BAD_REQUEST):
        read(body, max_rows=1)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"[]", [Problem("", "expected an object")]),
        (b"null", [Problem("", "expected an object")]),
        (b"{}", [Problem("/data", "is required")]),
        (b'{"data": null}', [Problem("/data", "expected an array")]),
        (b'{"data": {}}', [Problem("/data", "expected an array")]),
        (b'{"data": [[1], 2]}', [Problem("/data/1", "expected an array")]),
        (b'{"data": [[1], []]}', [Problem("/data/1", "expected at least one element")]),
        (b'{"data": [["a", {}]]}', [Problem("/data/0/1", CELL)]),
        (b'{"data": [[1]], "numbers": 1}', [Problem("/numbers", "is not known; known are data, columns, method")]),
        (b'{"data": [[1]], "a/b~c": 1}', [Problem("/a~1b~0c", "is not known; known are data, columns, method")]),
        (b'{"data": [[1]], "columns": [1]}', [Problem("/columns/0", "expected a string")]),
        (b'{"data": [[1]], "columns": []}', [Problem("/columns", "expected at least one element")]),
        (b'{"data": [[1]], "columns": null}', [Problem("/columns", "expected an array")]),
        (b'{"data": [[1, 2]], "columns": ["a", "a"]}', [Problem("/columns", "expected names that are all different")]),
    ],
)
def test_what_is_no_request_is_pointed_at(body: bytes, expected: list[Problem]) -> None:
    assert problems(body) == expected


def test_all_keys_are_checked_in_one_go() -> None:
    found = problems(b'{"data": [[{}]], "columns": [1], "method": "fit", "x": 1}')

    assert [each.pointer for each in found] == ["/data/0/0", "/columns/0", "/method", "/x"]


@pytest.mark.parametrize(
    "body",
    [
        '{"data": [[1]], "data": [[1]]}',
        '{"data": [[1]], "d\\u0061ta": [[1]]}',
        '{"method": "predict", "data": [["data"]], "method": "predict"}',
    ],
)
def test_a_name_that_stands_twice_is_refused(body: str) -> None:
    [found] = problems(body.encode())

    assert found.detail == "stands more than once"


@pytest.mark.parametrize("cell", ["data", '"data"', "a\\b"])
def test_a_cell_that_only_looks_like_a_name_is_not(cell: str) -> None:
    body = json.dumps({"data": [[cell, cell]]}).encode()

    assert read(body, max_rows=1).data == [[cell, cell]]


def test_rows_are_counted() -> None:
    assert problems(b'{"data": [[1], [1], [1]]}', max_rows=2) == [Problem("/data", "expected at most 2 rows, got 3")]


@pytest.mark.parametrize(
    "body",
    [
        b'{"data": [' + b",".join([b"[{}]"] * 1_000_000) + b"]}",
        b'{"data": [[' + b",".join([b"{}"] * 1_500_000) + b"]]}",
        b'{"data": [[1]], "columns": [' + b",".join([b"1"] * 2_000_000) + b"]}",
        b'{"data": [' + b",".join([b"[1]"] * 1_000_000) + b"]}",
        b'{"data": [[1]]' + b',"data":[[1]]' * 300_000 + b"}",
        b"{" + b",".join(b'"%d":1' % n for n in range(400_000)) + b"}",
    ],
    ids=["rows", "cells", "columns", "many-rows", "duplicates", "unknown-keys"],
)
def test_a_body_made_to_be_slow_is_refused_with_few_problems(body: bytes) -> None:
    assert 1 <= len(problems(body)) <= MAX_PROBLEMS


@pytest.mark.parametrize("body", [b'{"data": [[1]]}', b'{"data": [[{}]]}', b"{"])
def test_garbage_is_collected_after_whatever_was_read(body: bytes) -> None:
    with contextlib.suppress(InvokerError):
        read(body, max_rows=1)

    assert gc.isenabled()


def test_pointers_are_cut() -> None:
    assert len(pointer(("x" * 1_000_000, 1))) == 103
