"""NumPy's .npy both ways, and bodies that only pretend to be."""

import io
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from predictor.errors import BadInputError, NotAcceptableError
from predictor.formats.registry import decode, encode
from predictor.inputs.schema import Schema
from tests.serving.schemas import a_schema

NPY = "application/x-npy"
PAIRS = a_schema(2)


def npy(values: Any, **options: Any) -> bytes:
    out = io.BytesIO()
    np.save(out, np.asarray(values), **options)
    return out.getvalue()


def header(text: str, data: bytes = b"", version: int = 1) -> bytes:
    content = text.encode()
    length = struct.pack("<H" if version == 1 else "<I", len(content))
    return b"\x93NUMPY" + bytes([version, 0]) + length + content + data


def described(descr: str, shape: str, data: bytes = b"", version: int = 1, order: str = "False") -> bytes:
    return header(f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}", data, version)


def rows_of(body: bytes, content_type: str, schema: Schema) -> Any:
    return decode(body, content_type, schema).rows


def refusal(body: bytes, content_type: str = NPY, schema: Schema = PAIRS) -> str:
    with pytest.raises(BadInputError) as refused:
        decode(body, content_type, schema)
    return refused.value.detail


@pytest.mark.parametrize("dtype", ["f8", ">f8", "f4", "f2", "i8", "i1", "u2", "?"])
def test_numbers_of_every_kind_become_doubles(dtype: str) -> None:
    found = rows_of(npy(np.array([[1, 0], [0, 1]], dtype=dtype)), NPY, PAIRS)

    assert (found.dtype, found.tolist()) == (np.float64, [[1, 0], [0, 1]])


def test_columns_first_is_read_as_well() -> None:
    assert rows_of(npy(np.asfortranarray([[1, 2], [3, 4]])), NPY, PAIRS).tolist() == [[1, 2], [3, 4]]


def test_one_dimension_is_one_row() -> None:
    assert rows_of(npy([1, 2]), NPY, PAIRS).tolist() == [[1, 2]]


def test_text_reaches_a_model_of_text() -> None:
    assert rows_of(npy([["a", "b"]]), NPY, a_schema(2, text={0, 1})).table().tolist() == [["a", "b"]]


def test_a_missing_value_reaches_a_model_that_takes_it() -> None:
    found = rows_of(npy([[np.nan, 2]]), NPY, a_schema(2, missing=True))

    np.testing.assert_array_equal(found, [[np.nan, 2]])


def test_a_missing_value_is_refused_where_the_model_takes_none() -> None:
    schema = a_schema(2, missing=True, required=frozenset({1}))

    assert rows_of(npy([[np.nan, 2]]), NPY, schema).shape == (1, 2)
    assert "expected a finite number, got nan at /1/1" in refusal(npy([[np.nan, 2], [1, np.nan]]), NPY, schema)


@pytest.mark.parametrize("dtype", ["i8", "u8"])
def test_whole_numbers_that_a_double_does_not_hold_are_refused(dtype: str) -> None:
    wrong = np.array([[1, 2], [1, 2**53 + 1]], dtype=dtype)
    right = np.array([[1, 2], [1, 2**53]], dtype=dtype)

    assert "exactly, got 9007199254740993 at /1/1" in refusal(npy(wrong))
    assert rows_of(npy(right), NPY, PAIRS).tolist() == right.tolist()


def test_whole_numbers_stay_whole_for_a_model_of_which_nothing_is_known() -> None:
    found = rows_of(npy(np.array([[1, 2**53 + 1]])), NPY, a_schema())

    assert (found.table().dtype, found.table().tolist()) == (np.int64, [[1, 2**53 + 1]])


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (npy([[1, 2, 3]]), "Wrong number of features: expected 2 features, got 3, in row 0."),
        (npy([[1, np.nan]]), "A cell is not what the model takes: expected a finite number, got nan at /0/1."),
        (npy([[1, np.inf]]), "A cell is not what the model takes: expected a finite number, got inf at /0/1."),
        (npy([["1", "2"]]), 'A cell is not what the model takes: expected a number, got "1" at /0/0.'),
        (npy(1.5), "Expected an array of 2 dimensions (rows, features), got 0."),
        (npy([[[1, 2]]]), "Expected an array of 2 dimensions (rows, features), got 3."),
        (npy(np.empty((0, 2))), "Expected at least one row of at least one feature, got none."),
        (npy([[1j, 2]]), "Expected an array of numbers or text, got complex128."),
        (npy(np.zeros((1, 2), "M8[s]")), "Expected an array of numbers or text, got datetime64[s]."),
        (npy(np.zeros(2, [("a", "f8")])), "Expected an array of numbers or text, got [('a', '<f8')]."),
        (b"\x93NUMPY", "The body is not a NumPy .npy file."),
        (b"PK\x03\x04", "The body is not a NumPy .npy file."),
        (header("{"), "The body is not a NumPy .npy file."),
        (header("(" * 9000), "The body is not a NumPy .npy file."),
        (header("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2)}", b"x" * 15), "which is not the 15 bytes"),
        (header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -2)}", b"x" * 16), "not the 16 bytes"),
        (header("{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904, 8)}"), "not the 0 bytes"),
        (npy([[1, 2]]) + b"x", "which is not the 17 bytes that follow."),
    ],
)
def test_what_is_wrong(body: bytes, detail: str) -> None:
    assert detail in refusal(body)


class Writes:
    """Leaves a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return open, (str(self.path), "w")


def test_a_pickle_is_refused_and_not_run(tmp_path: Path) -> None:
    body = npy(np.array([[Writes(tmp_path / "run"), 1]], dtype=object), allow_pickle=True)

    assert refusal(body) == "The body holds Python objects; send numbers or text."
    assert "not a NumPy .npy file" in refusal(pickle.dumps(Writes(tmp_path / "run")))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "predictions", [np.array([1, 2]), np.array([[0.5, np.nan]]), np.array(["a", "é"]), np.array([True])]
)
def test_answers_are_read_back_by_numpy(predictions: Any) -> None:
    answer = encode(predictions, NPY)

    assert answer.content_type == NPY
    np.testing.assert_array_equal(np.load(io.BytesIO(answer.body), allow_pickle=False), predictions)


def test_labels_in_objects_become_text() -> None:
    answer = encode(np.array(["no", "yes"], dtype=object), NPY)

    assert np.load(io.BytesIO(answer.body), allow_pickle=False).tolist() == ["no", "yes"]


def test_predictions_that_npy_cannot_hold_are_said_to_be() -> None:
    with pytest.raises(NotAcceptableError, match="ask for application/json"):
        encode(np.array([None, "x"], dtype=object), NPY)


def test_text_of_numbers_that_are_no_characters_is_refused() -> None:
    file = io.BytesIO()
    np.save(file, np.array([[0x7FFFFFFF, 0x61]], np.uint32).view("<U1"))

    with pytest.raises(BadInputError, match="text that is not Unicode"):
        decode(file.getvalue(), "application/x-npy", a_schema(2, text=frozenset({0, 1})))


def test_half_a_surrogate_pair_is_refused() -> None:
    body = described("'<U1'", "(1, 2)", struct.pack("<II", 0xD83D, 0x61))

    assert refusal(body) == "The array holds text that is not Unicode."
    assert refusal(body, schema=a_schema(2, text=frozenset({0, 1}))) == "The array holds text that is not Unicode."


ONES = np.ones(2).tobytes()


@pytest.mark.parametrize(
    "body",
    [
        described("'<f8'", "(1, 2)", ONES),
        described("'<f8'", "(1, 2)", ONES, version=2),
        described("'<f8'", "(1, 2)", ONES, version=3),
        described("'<f8'", "(1, 2)", ONES, order="True"),
        described("'>f8'", "(1, 2)", np.ones(2, ">f8").tobytes()),
        described("'<f2'", "(1, 2)", np.ones(2, "f2").tobytes()),
        described("'|b1'", "(1, 2)", b"\x07\x01"),
        described("'<f8'", "(2,)", ONES),
    ],
)
def test_headers_of_every_kind_are_read(body: bytes) -> None:
    assert rows_of(body, NPY, PAIRS).tolist() == [[1, 1]]


@pytest.mark.parametrize(
    "body",
    [
        described("'<U0'", "(10, 2)"),
        described("'<U0'", "(1000000000000, 2)"),
        described("'|V0'", "(10, 2)"),
        described("'|S0'", "(10, 2)"),
        described("'|S8'", "(1, 2)", ONES),
        described("'|V8'", "(1, 2)", ONES),
        described("'<f8'", f"(1{'0' * 30}, 0)"),
        described("'<f8'", "(4611686018427387904, 0)"),
        described("'<f8'", "(4611686018427387904, 4)"),
        described("'<f8'", "(0, 2)"),
        described("'<f8'", "(0, 0)"),
        described("'<f8'", "()", ONES[:8]),
        described("'<f8'", f"({'1, ' * 65})", ONES[:8]),
        described("'<f8'", f"({'1, ' * 33})", ONES[:8]),
        described("'<f8'", "(True, 2)", ONES),
        described("'<f8'", "(1.0, 2)", ONES),
        described("('<f8', (2,))", "(1,)", ONES),
        described("('<f8', (1, 2))", "(1, 1)", ONES),
        described("'(2)f8'", "(1,)", ONES),
        described("[('a', '<f8'), ('b', '<f8')]", "(1,)", ONES),
        described("[]", "(5, 2)"),
        described("'f8,f8'", "(1,)", ONES),
        described("'|O'", "(1, 2)", ONES),
        described("[('a', '|O')]", "(1, 2)", ONES),
        described("'|T16'", "(1, 1)", ONES),
        described("'<M8[ns]'", "(1, 2)", ONES),
        described("'<m8'", "(1, 2)", ONES),
        described("'<c16'", "(1, 1)", ONES),
        described("5", "(1, 2)", ONES),
        described("None", "(1, 2)", ONES),
        described("{}", "(1, 2)", ONES),
        described("[" * 300 + "]" * 300, "(1, 2)", ONES),
        described("'<f8'", "(1L, 2L)", b""),
        header("(" * 5000),
        header("-" * 9000 + "1"),
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + b"{" * 100,
        b"\x93NUMPY\x01\x00\xff\xff" + b"{" * 100,
        b"\x93NUMPY\x04\x00" + described("'<f8'", "(1, 2)", ONES)[8:],
    ],
)
@pytest.mark.parametrize("schema", [PAIRS, a_schema()])
def test_broken_headers_are_refused(body: bytes, schema: Schema) -> None:
    assert refusal(body, schema=schema)
