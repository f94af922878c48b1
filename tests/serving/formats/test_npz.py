"""scipy's sparse .npz, and archives that only pretend to be."""

import io
import struct
import zipfile
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from predictor.errors import BadInputError, PayloadTooLargeError
from predictor.formats.npz import FREE_BYTES, RATIO
from predictor.formats.registry import decode
from predictor.inputs.schema import Schema
from tests.serving.formats.peaks import peak_bytes
from tests.serving.schemas import a_schema

NPZ = "application/x-npz"
PAIRS = a_schema(2)
SPARSE = a_schema(2, sparse=True)


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


def rows_of(body: bytes, content_type: str, schema: Schema) -> Any:
    return decode(body, content_type, schema).rows


def refusal(body: bytes, content_type: str = NPZ, schema: Schema = PAIRS) -> str:
    with pytest.raises(BadInputError) as refused:
        decode(body, content_type, schema)
    return refused.value.detail


@pytest.mark.parametrize("dtype", ["i8", "u8"])
def test_whole_numbers_that_a_double_does_not_hold_are_refused(dtype: str) -> None:
    wrong = np.array([[1, 2], [1, 2**53 + 1]], dtype=dtype)
    right = np.array([[1, 2], [1, 2**53]], dtype=dtype)

    assert "does not hold exactly" in refusal(npz(sparse.csr_matrix(wrong)), NPZ)
    assert rows_of(npz(sparse.csr_matrix(right)), NPZ, PAIRS).tolist() == right.tolist()


def test_a_pickle_is_refused() -> None:
    assert "Python objects" in refusal(archive(format=np.array({}, dtype=object)), NPZ)


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csc_matrix, sparse.coo_matrix])
def test_sparse_rows_stay_sparse_for_a_model_that_takes_them(kind: Any) -> None:
    rows = rows_of(npz(kind([[0, 2], [3, 0], [0, 0]])), NPZ, SPARSE)

    assert (rows.format, rows.toarray().tolist()) == ("csr", [[0, 2], [3, 0], [0, 0]])


def test_sparse_rows_become_dense_for_a_model_that_does_not() -> None:
    assert rows_of(npz(sparse.csr_matrix([[0, 2], [3, 0]])), NPZ, PAIRS).tolist() == [[0, 2], [3, 0]]


def parts(**changed: Any) -> dict[str, Any]:
    usual = {
        "format": np.array("csr"),
        "shape": np.array([1, 2]),
        "data": np.array([1.0]),
        "indices": np.array([1]),
        "indptr": np.array([0, 1]),
    }
    return usual | {name: np.asarray(value) for name, value in changed.items()}


def csr(**changed: Any) -> bytes:
    return archive(**parts(**changed))


def test_the_hand_made_matrix_is_right_before_it_is_changed() -> None:
    assert rows_of(csr(), NPZ, SPARSE).toarray().tolist() == [[0, 1]]


@pytest.mark.parametrize(
    "changed",
    [
        {"indices": [2**40]},
        {"indices": [-1]},
        {"indices": ["x"]},
        {"indices": [0.5]},
        {"indices": [True]},
        {"indices": [[1]]},
        {"indices": [2**63]},
        {"indptr": [0.0, 1.0]},
        {"indptr": [0, 10**9]},
        {"indptr": [0, -1]},
        {"indptr": [5, 1]},
        {"indptr": [0]},
        {"shape": [1]},
        {"shape": [1.0, 2.0]},
        {"shape": [True, True]},
        {"shape": [[1, 2]]},
        {"shape": np.array(["2020-01-01", "2021-01-01"], "M8[D]")},
        {"shape": [np.nan, 2]},
        {"shape": [-1, 2]},
        {"shape": "x"},
        {"format": "dia"},
        {"format": "__class__"},
        {"format": b"\xff"},
        {"format": ["csr", "csr"]},
        {"format": 5},
        {"data": ["x"]},
        {"data": np.array(["2020"], "M8[D]")},
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


@pytest.mark.parametrize("schema", [SPARSE, PAIRS])
def test_a_small_body_does_not_become_many_rows(schema: Schema) -> None:
    tall = sparse.coo_matrix(([], ([], [])), shape=(100_000, 2))

    with pytest.raises(PayloadTooLargeError, match=r"100000 rows in a body of 9[0-9]+ bytes: send no empty rows"):
        decode(npz(tall), NPZ, schema)


@pytest.mark.parametrize("body", [b"PK\x03\x04", b"x", npy([[1, 2]]), npz(sparse.csr_matrix([[1, 2]]))[:-30]])
def test_what_is_no_archive(body: bytes) -> None:
    assert refusal(body, NPZ) == "The body is not a NumPy .npz archive."


def zipped(method: int, members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return out.getvalue()


def bomb(size: int, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A matrix whose first value is followed by as many zeros as `size` says."""
    members = {name: npy(value) for name, value in parts().items()}
    return zipped(method, members | {"data": members["data"] + bytes(size)})


def understated(body: bytes, size: int) -> bytes:
    """Let the archive's directory say that the member `data` is as long as one value."""
    true, false = len(npy([1.0])) + size, len(npy([1.0]))
    changed = body.replace(struct.pack("<I", true), struct.pack("<I", false))
    assert changed != body
    return changed


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_are_stored_or_deflated(method: int) -> None:
    assert rows_of(bomb(0, method), NPZ, SPARSE).toarray().tolist() == [[0, 1]]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compression_is_refused_unread(method: int) -> None:
    assert refusal(bomb(0, method)) == "The member format.npy is neither stored nor deflated: write it with save_npz."


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    size = FREE_BYTES + 2**20
    body = bomb(size)

    with pytest.raises(PayloadTooLargeError, match=f"unpacks to more than {FREE_BYTES + RATIO * len(body)} bytes"):
        decode(body, NPZ, SPARSE)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_bomb_that_understates_itself_is_inflated_no_further(method: int) -> None:
    size = 64 * 2**20
    body = understated(bomb(size, method), size)

    assert "neither stored nor deflated" in refusal(body) or refusal(body) == "The body is not a NumPy .npz archive."
    assert peak_bytes(lambda: refusal(body)) < 2**20


def test_an_archive_of_many_members_is_refused() -> None:
    assert refusal(zipped(zipfile.ZIP_STORED, {f"x{index}": b"" for index in range(200)})) == (
        "The body is not a NumPy .npz archive."
    )


def test_a_matrix_of_too_many_rows_is_refused_before_it_is_made() -> None:
    for height in (2**40, 2**62):
        with pytest.raises(PayloadTooLargeError, match="A request may have 1000000 rows"):
            decode(csr(shape=[height, 2]), NPZ, SPARSE)


def test_a_small_body_does_not_become_a_large_dense_matrix() -> None:
    wide = sparse.csr_matrix((1000, 10**6))

    with pytest.raises(PayloadTooLargeError, match="takes no sparse rows"):
        decode(npz(wide), NPZ, a_schema(10**6))
