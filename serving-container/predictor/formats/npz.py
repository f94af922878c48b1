"""scipy's sparse .npz, as `scipy.sparse.save_npz` writes csr, csc and coo.

Memory is in proportion to the body: a member is inflated up to what its archive may unpack to, and no further.
"""

import io
import math
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from predictor.errors import BadInputError, PayloadTooLargeError
from predictor.formats import npy
from predictor.formats.limits import check_rows
from predictor.formats.media_types import MediaType
from predictor.inputs.rows import DecodedRequest, choose_method
from predictor.inputs.schema import Schema
from predictor.inputs.validation import check_width

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

MIB = 2**20
MAX_UNPACKED = 100 * MIB
"""Bytes a matrix may unpack to, and have as a dense one: the largest payload of a batch transform."""
FREE_BYTES = 4 * MIB
RATIO = 64
"""A body of n bytes may unpack to FREE_BYTES + RATIO * n; matrices of text compress to a third or a tenth."""
FREE_ROWS = 10_000
"""Rows that a sparse matrix may have anyway; of more, each needs a byte, for a shape costs a sender nothing."""
PARTS = {"csr": ("indices", "indptr"), "csc": ("indices", "indptr"), "coo": ("row", "col")}
MEMBERS = 100
"""Entries that an archive may list: save_npz writes five."""
ENTRY = b"PK\x01\x02"
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
NO_ARCHIVE = "The body is not a NumPy .npz archive."
NO_MATRIX = "The body is no sparse matrix as scipy.sparse.save_npz writes csr, csc and coo."


def decode(body: bytes, media_type: MediaType, schema: Schema) -> DecodedRequest:
    method = choose_method(media_type.parameters.get("method"), schema)
    matrix = _matrix(body)
    check_width(matrix.shape[1], schema, "/0")
    if not (schema.sparse and schema.numeric):
        if math.prod(matrix.shape) * 8 > MAX_UNPACKED:
            raise PayloadTooLargeError(f"The model takes no sparse rows, and dense ones may have {MAX_UNPACKED} bytes.")
        return DecodedRequest(npy.rows(matrix.toarray(), schema), method)
    if not np.isfinite(matrix.data).all():
        raise BadInputError("The matrix has values that are not finite.")
    return DecodedRequest(matrix, method)


def _matrix(body: bytes) -> "csr_matrix":
    """Read a matrix, every index of it checked: scipy's C code trusts what it is given."""
    members = _Archive(body)
    kind = _kind(members["format"])
    height, width = _shape(members["shape"], len(body))
    first, second = (_indices(members[name]) for name in PARTS[kind])
    values = members["data"]
    if values.ndim != 1 or values.dtype.kind not in "fiub":
        raise BadInputError(NO_MATRIX)
    data = values.astype(np.float64)
    if npy.may_be_rounded(values) and data.tolist() != values.tolist():
        raise BadInputError("The matrix has whole numbers that a 64-bit float does not hold exactly.")
    return _built(kind, (data, first, second), (height, width))


def _built(kind: str, parts: tuple[npt.NDArray[Any], ...], shape: tuple[int, int]) -> "csr_matrix":
    from scipy import sparse  # noqa: PLC0415  # only sparse requests need it

    data, first, second = parts
    make = {"csr": sparse.csr_matrix, "csc": sparse.csc_matrix, "coo": sparse.coo_matrix}[kind]
    try:
        matrix = make((data, (first, second)) if kind == "coo" else parts, shape, copy=True)
        if kind != "coo":  # whose constructor checks
            matrix.check_format(full_check=True)
        # Which the check overlooks where there are no values.
        falls = kind != "coo" and bool(np.diff(matrix.indptr).min() < 0)
        made = None if falls else sparse.csr_matrix(matrix)
    except Exception:  # noqa: BLE001  # whatever scipy says of these numbers
        raise BadInputError(NO_MATRIX) from None
    if made is None:
        raise BadInputError(NO_MATRIX)
    return made


def _kind(name: npt.NDArray[Any]) -> str:
    """Read the member `format`, which is text or bytes."""
    try:
        value = name.item() if name.dtype.kind in "US" else None
        kind = value.decode("ascii") if isinstance(value, bytes) else value
    except (SystemError, ValueError):  # several values, or numbers that are no characters
        raise BadInputError(NO_MATRIX) from None
    if kind not in PARTS:
        raise BadInputError(NO_MATRIX)
    return str(kind)


def _shape(shape: npt.NDArray[Any], body_bytes: int) -> tuple[int, int]:
    if shape.shape != (npy.DIMENSIONS,) or shape.dtype.kind not in "iu":
        raise BadInputError(NO_MATRIX)
    height, width = shape.tolist()
    if min(height, width) < 0:
        raise BadInputError(NO_MATRIX)
    if not (height and width):
        raise BadInputError("Expected at least one row, got none.")
    check_rows(height)
    if height > max(body_bytes, FREE_ROWS):
        raise PayloadTooLargeError(f"{height} rows in a body of {body_bytes} bytes: send no empty rows.")
    return height, width


def _indices(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Check that these are whole numbers: scipy would cut others to such."""
    if values.ndim != 1 or values.dtype.kind not in "iu":
        raise BadInputError(NO_MATRIX)
    return values


class _Archive:
    """The arrays of an archive by name, each read when it is asked for."""

    def __init__(self, body: bytes) -> None:
        if body.count(ENTRY) > MEMBERS:
            raise BadInputError(NO_ARCHIVE)
        try:
            self._file = zipfile.ZipFile(io.BytesIO(body))
        except Exception:  # noqa: BLE001  # zipfile raises many kinds for what is no archive
            raise BadInputError(NO_ARCHIVE) from None
        limit = min(MAX_UNPACKED, FREE_BYTES + RATIO * len(body))
        if sum(member.file_size for member in self._file.infolist()) > limit:
            raise PayloadTooLargeError(f"The archive unpacks to more than {limit} bytes.")

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        try:
            member = self._file.getinfo(f"{name}.npy")
        except KeyError:
            raise BadInputError(NO_MATRIX) from None
        if member.compress_type not in METHODS:
            raise BadInputError(f"The member {name}.npy is neither stored nor deflated: write it with save_npz.")
        return npy.read(self._inflated(member), f'The array "{name}"')

    def _inflated(self, member: zipfile.ZipInfo) -> bytes:
        """Read as much as the member declares: zipfile inflates no more at a time than it is asked for."""
        try:
            with self._file.open(member) as stream:
                content = stream.read(member.file_size)
                stream.read(1)  # compares the checksum
        except Exception:  # noqa: BLE001  # as above
            raise BadInputError(NO_ARCHIVE) from None
        return content
