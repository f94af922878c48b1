"""NumPy's .npy both ways, scipy's .npz in, and bodies that only pretend to be."""

import io
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from predictor.errors import BadInputError, NotAcceptableError, PayloadTooLargeError
from predictor.formats import npy as npy_format
from predictor.formats.registry import decode, encode
from predictor.inputs.rows import Signature

NPY = "application/x-npy"
NPZ = "application/x-npz"
PAIRS = Signature(features=2)
SPARSE = Signature(features=2, sparse=True)


def npy(values: Any, **options: Any) -> bytes:
    out = io.BytesIO()
    np.save(out, np.asarray(values), **options)
    return out.getvalue()


def npz(matrix: Any, **options: Any) -> bytes:
    out = io.BytesIO()
    sparse.save_npz(out, matrix, **options)
    return out.getvalue()


def archive(**members: Any) -> bytes:
    out = io.BytesIO()
    np.savez(out, **members)
    return out.getvalue()


def header(text: str, data: bytes = b"") -> bytes:
    content = text.encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(content)) + content + data


def rows_of(body: bytes, content_type: str, signature: Signature) -> Any:
    return decode(body, content_type, signature).rows


def refusal(body: bytes, content_type: str = NPY, signature: Signature = PAIRS) -> str:
    with pytest.raises(BadInputError) as refused:
        decode(body, content_type, signature)
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
    assert rows_of(npy([["a", "b"]]), NPY, Signature(2, text=frozenset({0, 1}))).tolist() == [["a", "b"]]


def test_a_missing_value_reaches_a_model_that_takes_it() -> None:
    found = rows_of(npy([[np.nan, 2]]), NPY, Signature(features=2, missing=True))

    np.testing.assert_array_equal(found, [[np.nan, 2]])


def test_a_missing_value_is_refused_where_the_model_takes_none() -> None:
    signature = Signature(features=2, missing=True, required=frozenset({1}))

    assert rows_of(npy([[np.nan, 2]]), NPY, signature).shape == (1, 2)
    assert "expected a finite number, got nan at /1/1" in refusal(npy([[np.nan, 2], [1, np.nan]]), NPY, signature)


@pytest.mark.parametrize("dtype", ["i8", "u8"])
def test_whole_numbers_that_a_double_does_not_hold_are_refused(dtype: str) -> None:
    wrong = np.array([[1, 2], [1, 2**53 + 1]], dtype=dtype)
    right = np.array([[1, 2], [1, 2**53]], dtype=dtype)

    assert "exactly, got 9007199254740993 at /1/1" in refusal(npy(wrong))
    assert rows_of(npy(right), NPY, PAIRS).tolist() == right.tolist()
    assert "does not hold exactly" in refusal(npz(sparse.csr_matrix(wrong)), NPZ)
    assert rows_of(npz(sparse.csr_matrix(right)), NPZ, PAIRS).tolist() == right.tolist()


def test_whole_numbers_stay_whole_for_a_model_of_which_nothing_is_known() -> None:
    found = rows_of(npy(np.array([[1, 2**53 + 1]])), NPY, Signature(text=None, missing=True))

    assert (found.dtype, found.tolist()) == (np.int64, [[1, 2**53 + 1]])


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (npy([[1, 2, 3]]), "Wrong number of features: expected 2 features, got 3, in row 0."),
        (npy([[1, np.nan]]), "A cell is not what the model takes: expected a finite number, got nan at /0/1."),
        (npy([[1, np.inf]]), "A cell is not what the model takes: expected a finite number, got inf at /0/1."),
        (npy([["1", "2"]]), 'A cell is not what the model takes: expected a number, got "1" at /0/0.'),
        (npy(1), "Expected an array of 2 dimensions (rows, features), got 0."),
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
    assert "Python objects" in refusal(archive(format=np.array(Writes(tmp_path / "run"), dtype=object)), NPZ)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csc_matrix, sparse.coo_matrix])
def test_sparse_rows_stay_sparse_for_a_model_that_takes_them(kind: Any) -> None:
    rows = rows_of(npz(kind([[0, 2], [3, 0], [0, 0]])), NPZ, SPARSE)

    assert (rows.format, rows.toarray().tolist()) == ("csr", [[0, 2], [3, 0], [0, 0]])


def test_sparse_rows_become_dense_for_a_model_that_does_not() -> None:
    assert rows_of(npz(sparse.csr_matrix([[0, 2], [3, 0]])), NPZ, PAIRS).tolist() == [[0, 2], [3, 0]]


def csr(**changed: Any) -> bytes:
    parts = {
        "format": np.array("csr"),
        "shape": np.array([1, 2]),
        "data": np.array([1.0]),
        "indices": np.array([1]),
        "indptr": np.array([0, 1]),
    }
    return archive(**(parts | {name: np.asarray(value) for name, value in changed.items()}))


def test_the_hand_made_matrix_is_right_before_it_is_changed() -> None:
    assert rows_of(csr(), NPZ, SPARSE).toarray().tolist() == [[0, 1]]


@pytest.mark.parametrize(
    "changed",
    [
        {"indices": [2**40]},
        {"indices": [-1]},
        {"indices": ["x"]},
        {"indptr": [0, 10**9]},
        {"indptr": [0, -1]},
        {"indptr": [5, 1]},
        {"indptr": [0]},
        {"shape": [1]},
        {"shape": [2**50, 2]},
        {"shape": [-1, 2]},
        {"shape": "x"},
        {"format": "dia"},
        {"format": "__class__"},
        {"data": ["x"]},
        {"data": [1j]},
        {"data": [[1.0]]},
    ],
)
def test_a_matrix_that_lies_is_refused(changed: dict[str, Any]) -> None:
    assert "no sparse matrix" in refusal(csr(**changed), NPZ, SPARSE)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_sparse_value_that_is_not_finite_is_refused(value: float) -> None:
    assert "finite" in refusal(csr(data=[value]), NPZ, SPARSE)
    assert "finite" in refusal(csr(data=[value]), NPZ, PAIRS)


@pytest.mark.parametrize("signature", [SPARSE, PAIRS])
def test_a_small_body_does_not_become_many_rows(signature: Signature) -> None:
    tall = sparse.coo_matrix(([], ([], [])), shape=(100_000, 2))

    with pytest.raises(PayloadTooLargeError, match=r"100000 rows in a body of 9[0-9]+ bytes: send no empty rows"):
        decode(npz(tall), NPZ, signature)


@pytest.mark.parametrize("body", [b"PK\x03\x04", b"x", npy([[1, 2]]), npz(sparse.csr_matrix([[1, 2]]))[:-30]])
def test_what_is_no_archive(body: bytes) -> None:
    assert refusal(body, NPZ) == "The body is not a NumPy .npz archive."


def bomb(size: int) -> bytes:
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as members,
        members.open("data.npy", "w", force_zip64=True) as file,
    ):
        for _ in range(size // 2**20):
            file.write(bytes(2**20))
    return out.getvalue()


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    with pytest.raises(PayloadTooLargeError, match="unpacks to more than"):
        decode(bomb(npy_format.MAX_UNPACKED + 2**20), NPZ, SPARSE)


def test_a_bomb_that_understates_itself_is_refused() -> None:
    body = bomb(2**20)
    understated = body.replace(struct.pack("<Q", 2**20), struct.pack("<Q", 16)).replace(
        struct.pack("<I", 2**20), struct.pack("<I", 16)
    )

    assert understated != body
    assert refusal(understated, NPZ) == "The body is not a NumPy .npz archive."


def test_a_small_body_does_not_become_a_large_dense_matrix() -> None:
    wide = sparse.csr_matrix((1000, 10**6))

    with pytest.raises(PayloadTooLargeError, match="takes no sparse rows"):
        decode(npz(wide), NPZ, Signature(features=10**6))


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
        decode(file.getvalue(), "application/x-npy", Signature(2, text=frozenset({0, 1})))
