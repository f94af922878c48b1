"""Other ways to read columns whose type only the model knows: tried when the model refuses the first one.

JSON and CSV have no dates, and nothing tells the type of a column in which every cell is missing.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from predictor.inputs.conversion import is_missing
from predictor.inputs.rows import Columns, Rows
from predictor.inputs.schema import Schema


def other_readings(rows: Rows, schema: Schema) -> Iterator[Rows]:
    """A sparse matrix as a dense one; strings that are dates as dates; the NaN of an empty column as None."""
    if hasattr(rows, "toarray"):
        yield rows.toarray()
    if not isinstance(rows, Columns):
        return
    unknown = [schema.feature(position).unknown for position in range(len(rows.arrays))]
    for read in (_dates, _nones):
        pairs = zip(rows.arrays, unknown, strict=True)
        arrays = tuple(read(array) if is_unknown else array for array, is_unknown in pairs)
        if any(new is not old for new, old in zip(arrays, rows.arrays, strict=True)):
            yield replace(rows, arrays=arrays)


def missing_cell(rows: Rows) -> tuple[int, int] | None:
    """Row and position of the first cell that is missing."""
    if isinstance(rows, Columns):
        for position, column in enumerate(rows.arrays):
            for row, cell in enumerate(column.tolist()):
                if is_missing(cell):
                    return row, position
        return None
    if not isinstance(rows, np.ndarray) or rows.dtype.kind != "f":
        return None
    places = np.argwhere(np.isnan(rows))
    return (int(places[0][0]), int(places[0][1])) if len(places) else None


def _dates(column: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """The column as dates, where every cell that is not missing is one as ISO 8601 has it."""
    cells = column.tolist()
    if not column.dtype.hasobject or not all(isinstance(cell, str) or is_missing(cell) for cell in cells):
        return column
    import pandas as pd  # noqa: PLC0415  # a worker with an ONNX model never needs it

    try:
        moments = pd.to_datetime(pd.Series(cells), format="ISO8601")
    except (ValueError, TypeError):
        return column
    return column if moments.isna().all() or moments.dt.tz is not None else moments.to_numpy("datetime64[ns]")


def _nones(column: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """The column as objects, where every cell is missing."""
    if column.dtype.kind != "f" or not np.isnan(column.astype(np.float64)).all():
        return column
    return np.full(column.shape, None, dtype=object)
