"""NumPy's .npy both ways, and scipy's sparse .npz in.

A header is checked against the bytes that follow before anything is allocated, and objects (pickles) are refused by
their dtype before anything is read: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

import io
import lzma
import math
import tokenize
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from predictor.errors import BadInputError, Fault, NotAcceptableError, PayloadTooLargeError
from predictor.formats.media_types import MediaType
from predictor.inputs.conversion import EXACT
from predictor.inputs.rows import DecodedRequest, Rows, Signature, choose_method
from predictor.inputs.validation import Table, check_width, to_rows

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

MAX_UNPACKED = 100 * 2**20
"""Bytes a matrix may unpack to: the largest payload of a batch transform."""
FREE_ROWS = 10_000
"""Rows that a sparse matrix may have anyway; of more, each needs a byte, for a shape costs a sender nothing."""
PARSE_ERRORS = (
    ValueError,
    TypeError,
    SyntaxError,
    KeyError,
    IndexError,
    EOFError,
    OverflowError,
    MemoryError,
    RecursionError,
    tokenize.TokenError,  # NumPy tokenizes headers that it cannot read at first
)


def decode(body: bytes, media_type: MediaType, signature: Signature) -> DecodedRequest:
    method = choose_method(media_type.parameters.get("method"), signature)
    return DecodedRequest(_rows(_read(body, "The body"), signature), method)


def decode_sparse(body: bytes, media_type: MediaType, signature: Signature) -> DecodedRequest:
    """Read a matrix written by `scipy.sparse.save_npz`."""
    method = choose_method(media_type.parameters.get("method"), signature)
    matrix = _matrix(body)
    check_width(matrix.shape[1], signature, "/0")
    if matrix.shape[0] > max(len(body), FREE_ROWS):
        raise PayloadTooLargeError(f"{matrix.shape[0]} rows in a body of {len(body)} bytes: send no empty rows.")
    if not matrix.shape[0]:
        raise BadInputError("Expected at least one row, got none.")
    if not (signature.sparse and signature.numeric):
        if math.prod(matrix.shape) * 8 > MAX_UNPACKED:
            raise PayloadTooLargeError(f"The model takes no sparse rows, and dense ones may have {MAX_UNPACKED} bytes.")
        return DecodedRequest(_rows(matrix.toarray(), signature), method)
    if not np.isfinite(matrix.data).all():
        raise BadInputError("The matrix has values that are not finite.")
    return DecodedRequest(matrix, method)


def encode(predictions: npt.NDArray[Any]) -> bytes:
    if predictions.dtype.hasobject:
        predictions = np.asarray(predictions.tolist())
    if predictions.dtype.hasobject:
        raise NotAcceptableError("An .npy answer cannot hold these predictions: ask for application/json.")
    out = io.BytesIO()
    np.save(out, predictions, allow_pickle=False)
    return out.getvalue()


def _cells(values: npt.NDArray[Any]) -> list[list[Any]]:
    try:
        cells: list[list[Any]] = values.tolist()
    except (SystemError, ValueError) as error:  # of text: NumPy hands numbers to Python that are no characters
        raise BadInputError("The array holds text that is not Unicode.") from error
    return cells


def _rows(values: npt.NDArray[Any], signature: Signature) -> Rows:
    """Check an array: two dimensions, or one that is a single row."""
    if values.ndim == 1:
        values = values.reshape(1, -1)
    if values.ndim != 2:  # noqa: PLR2004  # rows and columns
        raise BadInputError(f"Expected an array of 2 dimensions (rows, features), got {values.ndim}.")
    if values.dtype.kind not in "fiubU":
        raise BadInputError(f"Expected an array of numbers or text, got {values.dtype}.")
    plain = signature.numeric and values.dtype.kind != "U" and not _may_be_rounded(values)
    if not plain or values.shape[1] == len(signature.trained) > 0:
        return to_rows(Table(_cells(values), None, ("/", "/")), signature)
    if not values.size:
        raise BadInputError("Expected at least one row of at least one feature, got none.")
    check_width(values.shape[1], signature, "/0")
    return _finite(np.ascontiguousarray(values, dtype=np.float64), signature)


def _may_be_rounded(values: npt.NDArray[Any]) -> bool:
    """Whether there may be whole numbers that a double does not hold."""
    return (
        values.dtype.kind in "iu" and values.size > 0 and not (-EXACT < int(values.min()) <= int(values.max()) < EXACT)
    )


def _finite(rows: npt.NDArray[np.float64], signature: Signature) -> npt.NDArray[np.float64]:
    wrong = np.isinf(rows) if signature.missing else ~np.isfinite(rows)
    required = sorted(signature.required)
    wrong[:, required] |= np.isnan(rows[:, required])
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        fault = Fault(f"/{row}/{column}", f"expected a finite number, got {rows[row, column]}")
        raise BadInputError(f"A cell is not what the model takes: {fault.detail} at {fault.pointer}.", fault)
    return rows


def _read(data: bytes, what: str) -> npt.NDArray[Any]:
    """Read .npy bytes without a copy."""
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[
            version
        ]
        shape, fortran, dtype = read_header(stream)
    except PARSE_ERRORS:
        raise BadInputError(f"{what} is not a NumPy .npy file.") from None
    if dtype.hasobject:
        raise BadInputError(f"{what} holds Python objects; send numbers or text.")
    follow = len(data) - stream.tell()
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != follow:
        raise BadInputError(f"{what} says {shape} of {dtype}, which is not the {follow} bytes that follow.")
    values: npt.NDArray[Any] = np.frombuffer(data, dtype, offset=stream.tell())
    return values.reshape(shape, order="F" if fortran else "C")


def _matrix(body: bytes) -> "csr_matrix":
    """Read csr, csc and coo, every index of them checked: scipy's C code trusts what it is given."""
    from scipy import sparse  # noqa: PLC0415  # only sparse requests need it

    members = _unzip(body)
    try:
        kind = {"csr": sparse.csr_matrix, "csc": sparse.csc_matrix, "coo": sparse.coo_matrix}[_text(members["format"])]
        shape = tuple(members["shape"].tolist())
        if len(shape) != 2 or shape[0] * 8 > MAX_UNPACKED:  # noqa: PLR2004  # rows and columns
            raise ValueError
        parts = ("row", "col") if kind is sparse.coo_matrix else ("indices", "indptr")
        first, second = (members[name] for name in parts)
        data = members["data"].astype(np.float64, casting="same_kind")
        if _may_be_rounded(members["data"]) and data.tolist() != members["data"].tolist():
            raise BadInputError("The matrix has whole numbers that a 64-bit float does not hold exactly.")
        matrix = kind((data, (first, second)) if kind is sparse.coo_matrix else (data, first, second), shape, copy=True)
        if kind is not sparse.coo_matrix:  # whose constructor checks
            matrix.check_format(full_check=True)
            if np.diff(matrix.indptr).min() < 0:  # which it overlooks where there are no values
                raise ValueError
        return sparse.csr_matrix(matrix)
    except PARSE_ERRORS:
        raise BadInputError("The body is no sparse matrix as scipy.sparse.save_npz writes csr, csc and coo.") from None


def _text(name: npt.NDArray[Any]) -> str:
    value = name.item()
    return value.decode("ascii") if isinstance(value, bytes) else str(value)


def _unzip(body: bytes) -> dict[str, npt.NDArray[Any]]:
    """Read an archive's arrays, as long as they unpack to no more than MAX_UNPACKED bytes.

    zipfile reads no more of a member than its header declares, so that a lie there ends as a wrong checksum.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > MAX_UNPACKED:
                raise PayloadTooLargeError(f"The archive unpacks to more than {MAX_UNPACKED} bytes.")
            content = {member.filename.removesuffix(".npy"): archive.read(member) for member in members}
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError, *PARSE_ERRORS, OSError):
        raise BadInputError("The body is not a NumPy .npz archive.") from None
    return {name: _read(data, f'The array "{name[:40]}"') for name, data in content.items()}
