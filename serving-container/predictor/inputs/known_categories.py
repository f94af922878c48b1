"""Numeric categories of a compiled model whose encoder takes unknown numbers too.

ONNX has no such encoder: it cuts a number to a whole one, or rounds it to 32 bits, before it looks it up, and takes 0.9
for 0. So an unknown number is replaced by one that is surely unknown.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from predictor.inputs.schema import FeatureType, Schema


@dataclass(frozen=True, slots=True)
class Known:
    """The known numbers of one feature."""

    position: int
    values: frozenset[float]

    def admit(self, rows: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """Make rows that the graph can be asked about."""
        cells = rows[:, self.position].tolist()
        unknown = [row for row, cell in enumerate(cells) if cell not in self.values and cell == cell]  # noqa: PLR0124  # NaN stays
        if not unknown:
            return rows
        admitted = rows.copy()
        admitted[unknown, self.position] = self._surely_unknown
        return admitted

    @property
    def _surely_unknown(self) -> float:
        """A whole number that is not known, exact in 32 bits, and far from every known one."""
        largest = max(map(abs, self.values), default=1)
        return 2.0 ** (math.frexp(largest)[1] + 2)


def known_categories(schema: Schema) -> list[Known]:
    """The features of numbers whose encoder takes unknown ones, and that no other part takes as plain numbers."""
    return [
        Known(position, feature.known)
        for position, feature in enumerate(schema.features or ())
        if feature.type is FeatureType.CATEGORICAL and not (feature.text or feature.closed or feature.shared)
    ]
