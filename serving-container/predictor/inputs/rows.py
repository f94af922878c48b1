"""Rows on their way through: what a request holds, and how requests become one batch."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from predictor.errors import BadInputError, Fault, PredictionError
from predictor.inputs.schema import Schema

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Rows whose features differ in type: an array a feature, all equally long.

    They become what the estimator takes once a batch, for making a DataFrame takes as long as many a prediction.
    """

    arrays: tuple[npt.NDArray[Any], ...]
    names: tuple[str, ...] = ()
    """Names of the columns; empty where they have none."""

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.arrays[0]), len(self.arrays)

    def table(self) -> npt.NDArray[Any]:
        """One array of shape (rows, features), of objects where a column is."""
        if not any(column.dtype.hasobject or column.dtype.kind == "M" for column in self.arrays):
            return np.column_stack(self.arrays)
        table = np.empty(self.shape, dtype=object)
        for position, column in enumerate(self.arrays):
            table[:, position] = column
        return table


# Each has the shape (rows, features).
Rows: TypeAlias = "npt.NDArray[Any] | csr_matrix | Columns"


@dataclass(frozen=True, slots=True)
class DecodedRequest:
    """What a body holds: at least one row, of the features the model takes, and the method to ask."""

    rows: Rows
    method: str = "predict"

    def __len__(self) -> int:
        return int(self.rows.shape[0])

    @property
    def batch_key(self) -> Hashable:
        """Requests with equal keys may be concatenated without changing what the model sees of each."""
        rows = self.rows
        if isinstance(rows, Columns):
            return self.method, rows.names, tuple(column.dtype for column in rows.arrays)
        return self.method, type(rows), rows.shape[1], rows.dtype


def choose_method(asked: object, schema: Schema) -> str:
    """Check the method a request asks for against the allow-list; the first is the default."""
    if asked is None:
        return schema.methods[0]
    if asked not in schema.methods:
        shown = f'"{asked[:40]}"' if isinstance(asked, str) else "something that is no string"
        detail = f"expected one of {', '.join(schema.methods)}, got {shown}"
        raise BadInputError(f"The model does not offer this method: {detail}.", Fault("/method", detail))
    return str(asked)


def one_a_row(predictions: Any, count: int) -> npt.NDArray[Any]:
    """Make an array, one element a row, of what a model gave; raises PredictionError when it gave another number.

    A list holds an array for every output of the model, as predict_proba of several outputs gives them.
    """
    if isinstance(predictions, list) and all(isinstance(part, np.ndarray) and part.ndim > 1 for part in predictions):
        predictions = _outputs(predictions)
    if hasattr(predictions, "toarray"):
        predictions = predictions.toarray()
    array = np.asarray(predictions)
    given = len(array) if array.ndim else 1
    if given != count or not array.ndim:
        raise PredictionError(f"The model gave {given} predictions for {count} rows.")
    return array


def _outputs(outputs: list[npt.NDArray[Any]]) -> Any:
    if not outputs:
        return outputs
    if len({output.shape for output in outputs}) == 1:
        return np.stack(outputs, axis=1)
    rows = np.empty(len(outputs[0]), dtype=object)
    rows[:] = [[output[row].tolist() for output in outputs] for row in range(len(rows))]
    return rows


def concatenate(requests: Sequence[DecodedRequest]) -> DecodedRequest:
    """Make one request of several with the same `batch_key`, rows in order."""
    first = requests[0]
    if len(requests) == 1:
        return first
    return replace(first, rows=_stack([request.rows for request in requests]))


def _stack(parts: list[Any]) -> Rows:
    first = parts[0]
    if isinstance(first, Columns):
        columns = zip(*(part.arrays for part in parts), strict=True)
        return replace(first, arrays=tuple(map(np.concatenate, columns)))
    if isinstance(first, np.ndarray):
        return np.concatenate(parts)
    from scipy.sparse import vstack  # noqa: PLC0415  # only sparse requests need it

    return vstack(parts, format="csr")
