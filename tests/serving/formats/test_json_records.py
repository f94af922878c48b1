"""Sparse instances that are wrong; the right ones are among the shapes of test_codecs_json."""

import json
from typing import Any

import pytest

from predictor.errors import BadInputError, PayloadTooLargeError
from predictor.formats import json_records
from predictor.formats.registry import decode
from tests.serving.schemas import a_schema


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
