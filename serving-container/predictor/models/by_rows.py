"""A compiled model beside its original: each predicts the sizes of batches for which it is the quicker one."""

from typing import Any

import numpy.typing as npt

from predictor.models.base import Model


class ByRows:
    """A compiled model for batches of up to `most_rows` rows, and its original for larger ones."""

    def __init__(self, compiled: Model, original: Model, most_rows: int) -> None:
        self.schema = compiled.schema
        self._compiled = compiled
        self._original = original
        self._most_rows = most_rows

    def predict(self, rows: Any, method: str) -> npt.NDArray[Any]:
        """See `predictor.models.base.Model`."""
        model = self._compiled if rows.shape[0] <= self._most_rows else self._original
        return model.predict(rows, method)

    def warm_up(self) -> bool:
        """See `predictor.models.base.Model`."""
        return self._compiled.warm_up() and self._original.warm_up()
