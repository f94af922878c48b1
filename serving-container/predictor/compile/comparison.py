"""Whether a compiled model answers as its original does, and how much faster."""

import time
import timeit
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from predictor.compile.samples import Samples
from predictor.errors import PredictorError
from predictor.models.base import Model


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far a compiled model's answers are from the original's, for one method and one kind of rows."""

    method: str
    kind: str
    rows: int
    differing: int
    """Rows with a difference above the tolerance, or with another label."""
    largest: float
    """Largest difference of a number, relative where it is above 1."""

    def __str__(self) -> str:
        alike = "all alike" if not self.differing else f"{self.differing} DIFFER"
        return f"{self.method}: {self.rows} rows {self.kind}: {alike}, largest difference {self.largest:.2g}"


def compare(method: str, samples: Samples, original: Model, compiled: Model, tolerance: float) -> Comparison:
    expected = original.predict(samples.rows(original.schema), method)
    answer = compiled.predict(samples.rows(compiled.schema), method)
    differences = _differences(expected, answer)
    finite = differences[np.isfinite(differences)]
    largest = float(finite.max(initial=0.0))
    return Comparison(method, samples.kind, len(expected), int((differences > tolerance).sum()), largest)


def failure(model: Model, samples: Samples) -> type[PredictorError] | None:
    """What a model raises over rows: BadInputError when it refuses them."""
    try:
        model.predict(samples.rows(model.schema), model.schema.methods[0])
    except PredictorError as error:
        return type(error)
    return None


def _differences(expected: npt.NDArray[Any], answer: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """The largest difference of each row; infinite where a label, the form or the kind of the answer is another."""
    if expected.shape != answer.shape or _kind(expected) != _kind(answer):
        return np.full(len(expected), np.inf)
    if _kind(expected) != "number":
        return _largest(np.where(expected == answer, 0.0, np.inf))
    with np.errstate(invalid="ignore"):
        differences = np.abs(expected - answer) / np.maximum(1, np.abs(expected))
    differences[(expected == answer) | (np.isnan(expected) & np.isnan(answer))] = 0
    differences[np.isnan(differences)] = np.inf
    return _largest(differences)


def _largest(differences: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The largest difference of each row."""
    largest: npt.NDArray[np.float64] = differences.reshape(len(differences), -1).max(axis=1)
    return largest


def _kind(values: npt.NDArray[Any]) -> str:
    return {"f": "number", "i": "label", "u": "label", "b": "flag"}.get(values.dtype.kind, "text")


SECONDS = 0.2
"""That each measurement takes."""
LEAST_LOSS = 1.05
"""Below it a difference is one of the measurement."""


@dataclass(frozen=True, slots=True)
class Timing:
    """What a call of so many rows takes, in seconds."""

    rows: int
    before: float
    after: float

    @property
    def slower(self) -> bool:
        """Whether the compiled model is."""
        return self.after > LEAST_LOSS * self.before

    def __str__(self) -> str:
        unit = f"{self.rows:,} row{'s' if self.rows > 1 else ''}"
        gain = f"{self.before / self.after:.1f} times as fast"
        return f"speed: {unit} {self.before * 1e6:.0f} us before, {self.after * 1e6:.0f} us compiled, {gain}"


def timing(model: Model, compiled: Model, samples: Samples, count: int) -> Timing:
    """Time a call with so many rows of either model."""
    some = samples.first(count)
    return Timing(count, _seconds(model, some), _seconds(compiled, some))


def _seconds(model: Model, samples: Samples) -> float:
    """What a call takes: the quickest of those that fit into a moment."""
    rows, method = samples.rows(model.schema), model.schema.methods[0]
    timer = timeit.Timer(lambda: model.predict(rows, method))
    end = time.monotonic() + SECONDS
    taken = [timer.timeit(1)]
    while time.monotonic() < end:
        taken.append(timer.timeit(1))
    return min(taken)
