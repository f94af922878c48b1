"""The model: found by what lies in the model directory, loaded once, asked for predictions."""

from pathlib import Path
from typing import Any, Protocol

import numpy.typing as npt

from predictor.codecs import Payload
from predictor.rows import Rows, Signature


class Model(Protocol):
    """What predicts rows; called by one thread at a time."""

    signature: Signature

    def predict(self, rows: Rows, method: str) -> npt.NDArray[Any]:
        """Predict rows that `codecs.decode` has let through: one element a row.

        Raises BadInputError when the model refuses a row, PredictionError when it fails. In a batch either may be one
        request's fault: predict each request alone, and give every one its own answer.
        """

    def warm_up(self) -> None:
        """Predict once, so that the first request finds everything loaded; raises ModelLoadError."""


class UserCode(Protocol):
    """A model directory's own `code/inference.py`: it reads and writes bodies itself, one request at a time."""

    async def respond(self, body: bytes, content_type: str | None, accept: str | None) -> Payload:
        """Answer a request; raises PredictorError."""


def load(model_dir: Path) -> Model | UserCode:
    """Load what lies in `model_dir`; raises ModelLoadError."""
    raise NotImplementedError
