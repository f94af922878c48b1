"""What an estimator is found to take."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder

from predictor.inputs.schema import Container
from predictor.models.estimator import wrap
from predictor.models.inspection import estimators


@pytest.mark.parametrize(
    ("estimator", "text"),
    [
        (OneHotEncoder(handle_unknown="ignore"), {0, 1}),
        (make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")), {0, 1}),
        (FeatureUnion([("a", OneHotEncoder(handle_unknown="ignore")), ("b", OrdinalEncoder())]), {0, 1}),
        (ColumnTransformer([("t", OneHotEncoder(), slice(0, 1)), ("d", "drop", [1])]), {0}),
        (ColumnTransformer([("t", OneHotEncoder(), [True, False])]), {0}),
        (
            GridSearchCV(make_pipeline(OneHotEncoder(), LogisticRegression()), {"logisticregression__C": [1]}, cv=2),
            {0, 1},
        ),
    ],
)
def test_features_of_text_in_arrays(estimator: Any, text: Any) -> None:
    rows = np.array([["a", "x"], ["b", "y"]] * 4, dtype=object)

    schema = wrap(estimator.fit(rows, [0, 1] * 4), Path("model.pkl")).schema

    assert (set(schema.text), schema.container, schema.width) == (text, Container.ARRAY, 2)


@pytest.mark.parametrize("step", [FunctionTransformer(), FunctionTransformer(np.log1p)])
def test_functions_of_numpy_are_not_foreign(step: Any) -> None:
    pipeline = Pipeline([("f", step), ("m", LogisticRegression(max_iter=1000))]).fit(*load_iris(return_X_y=True))
    schema = wrap(pipeline, Path("model.pkl")).schema

    assert schema.independent
    assert schema.numeric


def test_the_width_of_a_loaded_catboost_model_is_that_of_its_names() -> None:
    """CatBoost says 0 features of a model that it has read from a file; it is not installed here."""
    members = {"__module__": "catboost.core", "n_features_in_": 0, "feature_names_": ["0", "1", "2"]}
    loaded = type("CatBoostClassifier", (), members)()

    assert estimators.names(loaded) == ()
    assert estimators.width(loaded, ()) == 3
