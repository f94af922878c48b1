"""The native files of XGBoost and LightGBM."""

import json
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest
import xgboost
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

from predictor.errors import ModelLoadError
from predictor.models.base import Model
from predictor.worker.loading import load
from predictor.worker.user_code import UserCode

IRIS = load_iris(return_X_y=True)
CANCER = load_breast_cancer(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)


def loaded(directory: Path) -> Model:
    model = load(directory)
    assert not isinstance(model, UserCode)
    model.warm_up()
    return model


@pytest.mark.parametrize("name", ["model.json", "anything.ubj", "xgboost-model"])
@pytest.mark.parametrize("data", [IRIS, CANCER])
def test_xgboost_classifiers(name: str, data: Any, tmp_path: Path) -> None:
    original = xgboost.XGBClassifier(n_estimators=3, n_jobs=1).fit(*data)
    original.get_booster().save_model(tmp_path / f"saved.{'json' if name.endswith('json') else 'ubj'}")
    next(tmp_path.iterdir()).rename(tmp_path / name)

    model = loaded(tmp_path)

    assert model.schema.methods == ("predict", "predict_proba")
    assert (model.schema.width, model.schema.required) == (data[0].shape[1], ())
    np.testing.assert_array_equal(model.predict(data[0], "predict"), original.predict(data[0]))
    np.testing.assert_array_equal(model.predict(data[0], "predict_proba"), original.predict_proba(data[0]))


def test_an_xgboost_regressor(tmp_path: Path) -> None:
    original = xgboost.XGBRegressor(n_estimators=3, n_jobs=1).fit(*DIABETES)
    original.save_model(tmp_path / "model.json")

    model = loaded(tmp_path)

    assert model.schema.methods == ("predict",)
    np.testing.assert_array_equal(model.predict(DIABETES[0], "predict"), original.predict(DIABETES[0]))


@pytest.mark.parametrize("data", [IRIS, CANCER])
def test_lightgbm_classifiers(data: Any, tmp_path: Path) -> None:
    original = lightgbm.LGBMClassifier(n_estimators=3, n_jobs=1, verbose=-1).fit(*data)
    original.booster_.save_model(tmp_path / "model.txt")

    model = loaded(tmp_path)

    assert (model.schema.methods, model.schema.names) == (("predict", "predict_proba"), ())
    np.testing.assert_array_equal(model.predict(data[0], "predict"), original.predict(data[0]))
    np.testing.assert_allclose(model.predict(data[0], "predict_proba").sum(axis=1), 1)
    np.testing.assert_array_equal(
        model.predict(data[0], "predict_proba")[:, -1],
        np.asarray(original.booster_.predict(data[0])).reshape(len(data[0]), -1)[:, -1],
    )


def test_a_lightgbm_regressor_with_names(tmp_path: Path) -> None:
    frame = load_diabetes(as_frame=True)
    original = lightgbm.LGBMRegressor(n_estimators=3, n_jobs=1, verbose=-1).fit(frame.data, frame.target)
    original.booster_.save_model(tmp_path / "model.txt")

    model = loaded(tmp_path)

    assert (model.schema.methods, model.schema.names) == (("predict",), tuple(frame.data.columns))
    np.testing.assert_array_equal(model.predict(DIABETES[0], "predict"), original.booster_.predict(DIABETES[0]))


@pytest.mark.parametrize("name", ["model.json", "model.txt", "model.ubj"])
def test_a_file_of_something_else(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(json.dumps({"version": 1}))

    with pytest.raises(ModelLoadError, match="is damaged, or of another kind") as refused:
        load(tmp_path)

    assert "\n" not in refused.value.detail
