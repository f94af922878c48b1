"""What every model offers, and how it is loaded."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy.typing as npt

from predictor.inputs.rows import Rows
from predictor.inputs.schema import Schema


class Model(Protocol):
    """What predicts rows; called by one thread at a time."""

    schema: Schema

    def predict(self, rows: Rows, method: str) -> npt.NDArray[Any]:
        """Predict rows that `formats.registry.decode` has let through: one element a row.

        Raises BadInputError when the model refuses a row, PredictionError when it fails. In a batch either may be one
        request's fault: predict each request alone, and give every one its own answer.
        """

    def warm_up(self) -> bool:
        """Predict a made-up row, so that the first request finds everything loaded; False when the model refuses it."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to load a model."""

    threads: int = 1
    """Threads that one prediction may use."""
    program: str = ""
    """File that holds the user's functions, where SAGEMAKER_PROGRAM names one; then it has to be there."""
    trusted: tuple[str, ...] = ()
    """Types that a .skops file may hold besides those that skops knows to be safe."""
    accept: str = "application/json"
    """Media type of what the user's own code answers, where the request names none."""
