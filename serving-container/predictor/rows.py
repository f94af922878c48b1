"""Rows on their way through: what a model takes, what a request holds, and how requests become one batch."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd
    from scipy.sparse import csr_matrix

# shape (rows, features); a DataFrame where the model selects its columns by name
Rows: TypeAlias = "npt.NDArray[Any] | pd.DataFrame | csr_matrix"


@dataclass(frozen=True, slots=True)
class Signature:
    """What a model takes and offers, read from the model when it is loaded."""

    features: int | None = None
    """Features of a row; None when the model does not say."""
    names: tuple[str, ...] = ()
    """Names of the features in the model's order; empty when it was trained without names."""
    methods: tuple[str, ...] = ("predict",)
    """The allowed methods that the model has; the first is the default."""
    numeric: bool = True
    """Whether every feature must be a number; otherwise strings, booleans and nulls reach the model as they are."""
    missing: bool = False
    """Whether a numeric feature may be missing (null, an empty CSV cell, NaN)."""
    frame: bool = False
    """Whether the model needs a DataFrame, because it selects columns by name."""
    independent: bool = True
    """Whether a row's prediction does not depend on the rows beside it: requests may be predicted as one batch."""


@dataclass(frozen=True, slots=True)
class Request:
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


def concatenate(requests: Sequence[Request]) -> Request:
    """Make one request of several with the same `batch_key`, rows in order."""
    first = requests[0]
    if len(requests) == 1:
        return first
    return replace(first, rows=_stack([request.rows for request in requests]))


def _stack(parts: list[Any]) -> Rows:
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts)
    if hasattr(parts[0], "iloc"):
        import pandas as pd  # noqa: PLC0415  # 40 MB a worker that only named models pay

        return pd.concat(parts, ignore_index=True)
    from scipy.sparse import vstack  # noqa: PLC0415

    return vstack(parts, format="csr")
