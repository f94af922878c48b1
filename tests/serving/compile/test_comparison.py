"""How far a compiled model's answers are from its original's."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from predictor.compile.comparison import compare
from predictor.compile.samples import Samples
from predictor.models.base import Model
from predictor.models.estimator import wrap


class Off:
    """Answers as another model does, with something added."""

    def __init__(self, model: Model, added: Any) -> None:
        self.schema = model.schema
        self._model = model
        self._added = added

    def predict(self, rows: Any, method: str) -> Any:
        return self._model.predict(rows, method) + self._added

    def warm_up(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("added", "differing", "largest"),
    [(0, 0, 0), (1e-7, 0, 1e-7), (1e-5, 4, 1e-5), (np.array([0, 0, 2e-6, 0]), 1, 2e-6), (np.nan, 4, 0)],
)
def test_differences_are_counted_and_measured(added: Any, differing: int, largest: float) -> None:
    model = wrap(LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0]), Path("model.pkl"))
    samples = Samples([[0.0], [0.25], [0.5], [1.0]])

    found = compare("predict", samples, model, Off(model, added), 1e-6)

    assert (found.rows, found.differing) == (4, differing)
    assert found.largest == pytest.approx(largest, rel=1e-6, abs=1e-15)


def test_another_kind_of_answer_differs() -> None:
    model = wrap(LogisticRegression().fit([[0.0], [1.0]], [0, 1]), Path("model.pkl"))

    assert compare("predict", Samples([[0.0], [1.0]]), model, Off(model, 0.0), 1e-6).differing == 2
