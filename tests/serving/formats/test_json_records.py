"""Records that lack cells, and sparse instances that are wrong; the right ones are among the shapes of test_json."""

import json
from typing import Any

import pytest

from predictor.errors import BadInputError, Fault, PayloadTooLargeError
from predictor.formats import json_records
from predictor.formats.registry import decode
from tests.serving.decoding import refusal, rows
from tests.serving.schemas import a_schema

HOLES = a_schema(2, names=("a", "b"), ignored={"id"}, missing=True, required={0})


def test_a_record_may_lack_what_may_be_missing() -> None:
    # R's toJSON leaves out what is NA.
    assert repr(rows([{"a": 1, "b": 2}, {"a": 3}], HOLES)) == "[[1.0, 2.0], [3.0, nan]]"
    assert repr(rows([{"a": 1}, {"b": 2, "a": 3, "id": 7}], HOLES)) == "[[1.0, nan], [3.0, 2.0]]"


def test_a_record_that_lacks_what_may_not_be_missing_is_named() -> None:
    assert refusal([{"a": 1, "b": 2}, {"b": 1}], HOLES).errors == (Fault("/1", 'row 1: missing column "a"'),)
    assert refusal([{"a": 1}, {"a": 1}], HOLES).detail.startswith('Wrong columns: missing "b".')


def test_a_misspelt_column_is_no_missing_one() -> None:
    assert refusal([{"a": 1, "b": 2}, {"a": 1, "B": 2}], HOLES).errors == (Fault("/0", 'unknown column "B"'),)


def test_records_that_lack_many_cells_are_refused() -> None:
    names = tuple(f"c{index}" for index in range(1000))
    body = json.dumps([dict.fromkeys(names, 1)] + [{}] * 5000).encode()

    with pytest.raises(PayloadTooLargeError, match="Records may lack 4194304 cells"):
        decode(body, None, a_schema(1000, names=names, missing=True))


@pytest.mark.parametrize(
    ("vector", "pointer"),
    [
        ({"keys": [0], "shape": [3], "values": [1]}, "/instances/0/data/features/shape"),
        ({"keys": [0], "shape": [2**62], "values": [1]}, "/instances/0/data/features/shape"),
        ({"keys": [0], "values": [1]}, "/instances/0/data/features/shape"),
        ({"keys": [2], "shape": [2], "values": [1]}, "/instances/0/data/features/keys/0"),
        ({"keys": [-1], "shape": [2], "values": [1]}, "/instances/0/data/features/keys/0"),
        ({"keys": [True], "shape": [2], "values": [1]}, "/instances/0/data/features/keys/0"),
        ({"keys": [0, 0], "shape": [2], "values": [5, 7]}, "/instances/0/data/features/keys/1"),
        ({"keys": [0, 1], "shape": [2], "values": [1]}, "/instances/0/data/features/keys"),
        ({"keys": 1, "shape": [2], "values": [1]}, "/instances/0/data/features/keys"),
        ({"keys": [1], "shape": [2], "values": 1}, "/instances/0/data/features/values"),
        ({"keys": [1], "shape": [2], "values": [1], "x": 1}, "/instances/0/data/features/x"),
        (5, "/instances/0/data/features"),
    ],
)
def test_wrong_sparse_vectors(vector: Any, pointer: str) -> None:
    body = json.dumps({"instances": [{"data": {"features": vector}}]}).encode()

    with pytest.raises(BadInputError) as refused:
        decode(body, None, a_schema(2))

    assert [fault.pointer for fault in refused.value.errors] == [pointer]


def test_a_small_body_does_not_become_a_large_matrix() -> None:
    width = json_records.MAX_UNPACKED // 4
    empty = {"data": {"features": {"keys": [], "shape": [width], "values": []}}}
    body = json.dumps({"instances": [empty] * 5}).encode()

    with pytest.raises(PayloadTooLargeError, match="may unpack to 4194304 cells"):
        decode(body, None, a_schema(width))
