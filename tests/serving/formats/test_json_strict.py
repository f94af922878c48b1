"""What is not JSON, or not only one thing: names that stand twice, numbers that would be rounded."""

import pytest

from predictor.errors import Fault
from tests.serving.decoding import refusal, rows
from tests.serving.schemas import a_schema

LINES = "application/jsonlines"
NAMED = a_schema(2, names=("a", "b"))


@pytest.mark.parametrize("cell", [b"9007199254740993", b"-9007199254740993", b"9223372036854775809"])
def test_whole_numbers_that_a_double_does_not_hold_are_refused(cell: bytes) -> None:
    fault = Fault("/data/1/0", f"expected a number that a 64-bit float holds exactly, got {cell.decode()}")

    assert refusal(b'{"data": [[1, 2], [%s, 2]]}' % cell).errors == (fault,)
    assert refusal(b'{"data": [%s[1, 2], [%s, 2]]}' % (b"[1, 2], " * 300, cell)).errors[0].pointer == "/data/301/0"


@pytest.mark.parametrize("number", ["18446744073709551615", "123456789012345678901234567890"])
def test_whole_numbers_of_more_than_64_bits_that_a_double_does_not_hold_are_refused(number: str) -> None:
    assert refusal(b'{"data": [[%s, -1]]}' % number.encode()).detail == (
        f"The number {number} is none that a 64-bit float holds exactly."
    )


@pytest.mark.parametrize("cell", [2**53, -(2**53), 2**60, 2**70, 1e300, 0.1234567890123456789])
def test_large_and_long_numbers_that_a_double_holds_are_taken(cell: float) -> None:
    assert rows({"data": [[cell, 1]]}) == [[cell, 1]]


@pytest.mark.parametrize(
    "body",
    [
        b'{"data": [[1, 2',
        b'{"data": [[NaN, 1]]}',
        b'{"data": [[Infinity, 1]]}',
        b'{"data": [[1e999, 1]]}',
        b'{"data": [[1, 2],]}',
        b'{"data": [[01, 2]]}',
        b'{"data": [[1, 2]]} {}',
        b'{"data": [["\xff", 2]]}',
        b'{"data": [[1, 2]]}'.decode().encode("utf-16"),
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_what_is_no_json(body: bytes) -> None:
    assert refusal(body).detail.startswith("The body is not JSON: ")


def test_python_is_told_from_json() -> None:
    assert refusal(b"{'data': [[1, 2]]}").detail.endswith("JSON has double quotes: send json.dumps(...), not str(...).")


def test_a_compressed_body_is_recognised() -> None:
    assert refusal(b"\x1f\x8b\x08\x00").detail.endswith("It looks compressed: send it as it is.")


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b'{"data": [[1, 2]], "data": [[3, 4]]}', "data"),
        (b'{"data": [[1, 2]], "d\\u0061ta": [[3, 4]]}', "data"),
        (b'{"data": [[1, 2]], "method": "predict", "method": "predict"}', "method"),
        (b'[{"a": 1, "b": 2}, {"a": 1, "b": 2, "a": 3}]', "a"),
        (b'{"instances": [{"features": [1, 2], "features": [3, 4]}]}', "features"),
        (b'{"instances": [[1, 2], {"data": {"features": {"values": [1, 2], "values": [3, 4]}}}]}', "values"),
        (b'{"dataframe_split": {"data": [[1, 2]], "data": [[3, 4]], "columns": ["a:", "b"]}}', "data"),
    ],
)
def test_a_name_that_stands_twice_is_refused(body: bytes, name: str) -> None:
    assert refusal(body, NAMED).detail == f'The name "{name}" stands more than once in an object.'
    assert refusal(b"[1, 2]\n" + body, NAMED, LINES).detail == f'The name "{name}" stands more than once in an object.'


def test_colons_in_strings_are_no_names() -> None:
    assert rows({"data": [["::", 1]]}, a_schema(2, text=frozenset({0}))) == [["::", 1]]


@pytest.mark.parametrize("body", [b'{"a":' * 1000 + b"1" + b"}" * 1000, b"[" * 1000 + b'":"' + b"]" * 1000])
def test_what_is_nested_too_deeply(body: bytes) -> None:
    assert refusal(body).status == 400
