"""Rows on their way through: what a model takes, what a request holds, and how requests become one batch."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from predictor.errors import BadInputError, Fault, PredictionError

if TYPE_CHECKING:
    import pandas as pd
    from scipy.sparse import csr_matrix

METHODS = ("predict", "predict_proba", "decision_function", "transform")
"""The allow-list: what a request may ask of a model."""

# shape (rows, features); a DataFrame where the model selects its columns by name
Rows: TypeAlias = "npt.NDArray[Any] | pd.DataFrame | csr_matrix"


@dataclass(frozen=True, slots=True)
class Signature:
    """What a model takes and offers, read from the model when it is loaded."""

    features: int | None = None
    """Features of a row; None when the model does not say."""
    names: tuple[str, ...] = ()
    """Names of the features in the model's order; empty when it was trained without names."""
    ignored: frozenset[str] = frozenset()
    """Names of columns that may come and that the model makes no use of."""
    trained: tuple[str, ...] = ()
    """Names of all columns in the order of the training, where some are ignored."""
    methods: tuple[str, ...] = ("predict",)
    """The allowed methods that the model has; the first is the default."""
    text: frozenset[int] | None = frozenset()
    """Positions of the features that are strings; None when nothing is known of any feature."""
    objects: frozenset[int] = frozenset()
    """Positions of the numbers that the model was trained with as Python objects."""
    unknown: frozenset[int] = frozenset()
    """Positions of the features that only the model's own code knows: they may be anything."""
    unlike_names: frozenset[int] = frozenset()
    """Positions of the strings that are known never to be the name of a column."""
    missing: bool = False
    """Whether a number may be missing (null, an empty CSV cell, NaN); a string may."""
    required: frozenset[int] = frozenset()
    """Positions of the features that may not be missing, whatever else may."""
    nones: frozenset[int] = frozenset()
    """Positions of the features that were None where they were missing, and not NaN."""
    frame: bool = False
    """Whether the model needs a DataFrame, because it selects columns by name."""
    sparse: bool = False
    """Whether the model takes a sparse matrix as it is."""
    independent: bool = True
    """Whether a row's prediction does not depend on the rows beside it: requests may be predicted as one batch."""

    @property
    def numeric(self) -> bool:
        """Whether every feature is a number: rows are then float64 throughout."""
        return self.text is not None and not (self.text or self.objects or self.unknown)

    @property
    def own_code(self) -> bool:
        """Whether the model's own code takes rows as they come, so that nothing is known of their features."""
        return self.text is None


@dataclass(frozen=True, slots=True)
class DecodedRequest:
    """A decoded and validated request: at least one row, of the features the model takes."""

    rows: Rows
    method: str = "predict"

    def __len__(self) -> int:
        return int(self.rows.shape[0])

    @property
    def batch_key(self) -> Hashable:
        """Requests with equal keys may be concatenated without changing what the model sees of each."""
        dtypes = self.rows.dtype if isinstance(self.rows, np.ndarray) else tuple(getattr(self.rows, "dtypes", ()))
        return self.method, type(self.rows), self.rows.shape[1], dtypes


def choose_method(asked: object, signature: Signature) -> str:
    """Check the method a request asks for against the allow-list; the first is the default."""
    if asked is None:
        return signature.methods[0]
    if asked not in signature.methods:
        shown = f'"{asked[:40]}"' if isinstance(asked, str) else "something that is no string"
        detail = f"expected one of {', '.join(signature.methods)}, got {shown}"
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
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts)
    if hasattr(parts[0], "iloc"):
        import pandas as pd  # noqa: PLC0415  # a worker with an ONNX model never needs it

        return pd.concat(parts, ignore_index=True)
    from scipy.sparse import vstack  # noqa: PLC0415  # only sparse requests need it

    return vstack(parts, format="csr")
