"""LightGBM's boosters, asked directly, answer as their wrappers do: missing values and infinities too."""

from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest

from predictor.models.estimator import wrap
from predictor.models.shortcuts.lightgbm import direct

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(300, 6))
ROWS[RANDOM.random(ROWS.shape) < 0.1] = np.nan
AMOUNTS = np.nansum(ROWS[:, :3], axis=1)
QUERIES = RANDOM.normal(scale=3, size=(1000, 6))
for strange in (np.nan, np.inf, -np.inf, 1e300, 0.0):
    QUERIES[RANDOM.random(QUERIES.shape) < 0.04] = strange
FEW: dict[str, Any] = {"n_estimators": 5, "n_jobs": 1, "verbose": -1}


@pytest.mark.parametrize(
    ("model", "target"),
    [
        (lightgbm.LGBMRegressor(**FEW), AMOUNTS),
        (lightgbm.LGBMRegressor(**FEW, objective="poisson"), np.abs(AMOUNTS)),
        (lightgbm.LGBMClassifier(**FEW), AMOUNTS > 0),
        (lightgbm.LGBMClassifier(**FEW), np.where(AMOUNTS > 0, "yes", "no")),
        (lightgbm.LGBMClassifier(**FEW), np.digitize(AMOUNTS, [-1, 1]) * 7),
        (lightgbm.LGBMClassifier(**FEW, objective="multiclassova"), np.digitize(AMOUNTS, [-1, 1])),
    ],
)
def test_answers_are_the_wrappers_own(model: Any, target: Any) -> None:
    subject = wrap(model.fit(ROWS, target), Path("model.pkl"))

    for method in subject.schema.methods:
        for rows in (QUERIES, QUERIES[:1]):
            np.testing.assert_array_equal(subject.predict(rows, method), getattr(model, method)(rows))
    assert direct(model) is not model


def _squares(true: Any, told: Any) -> Any:
    return told - true, np.ones_like(told)


@pytest.mark.parametrize(
    "model",
    [
        lightgbm.LGBMRegressor(**FEW, pred_early_stop=True),
        lightgbm.LGBMRegressor(**FEW, objective=_squares),
        type("Own", (lightgbm.LGBMRegressor,), {})(**FEW),
    ],
)
def test_what_may_predict_otherwise_is_left_to_the_wrapper(model: Any) -> None:
    model.fit(ROWS, AMOUNTS)

    assert direct(model) is model
