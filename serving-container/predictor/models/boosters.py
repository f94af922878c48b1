"""XGBoost and LightGBM models from the files that their own libraries write; each library is an extra of the image.

Such a file knows how many classes there are, and not what they are called: predictions are 0, 1, ... for a classifier.
"""

import json
from pathlib import Path

from predictor.errors import ModelLoadError
from predictor.inputs.schema import Feature, Schema
from predictor.models.estimator import Estimator, wrap
from predictor.models.files import HEAD, is_pickle
from predictor.models.inspection import pandas_categories
from predictor.models.shortcuts.lightgbm import Classifier, Regressor

CLASSIFIERS = ("binary", "multi")
"""How the objective of a classifier begins, with both libraries."""

RANKERS = "rank:"
CATBOOST_CLASSIFIERS = ("Logloss", "CrossEntropy", "MultiClass", "MultiLogloss", "MultiCrossEntropy")


def load_xgboost(path: Path, threads: int) -> Estimator:
    import xgboost  # noqa: PLC0415  # an extra

    content = bytearray(path.read_bytes())  # a file's format is told by its suffix, and "xgboost-model" has none
    _refuse_old_forms(path, bytes(content[:HEAD]), xgboost.__version__)
    configuration = json.loads(xgboost.Booster(model_file=content).save_config())
    objective = configuration["learner"]["objective"]["name"]
    kind = xgboost.XGBClassifier if objective.startswith(CLASSIFIERS) else xgboost.XGBRegressor
    if objective.startswith(RANKERS):
        kind = xgboost.XGBRanker
    model = kind(n_jobs=threads)
    model.load_model(content)
    return wrap(model, path)


def _refuse_old_forms(path: Path, head: bytes, version: str) -> None:
    """Refuse what other versions of XGBoost wrote, and this one does not read."""
    if is_pickle(head):
        raise ModelLoadError(
            f"{path} is a pickle of an XGBoost model, which only the version that wrote it reads for certain: where it "
            f'was made, load it by pickle and save it with save_model("model.ubj").'
        )
    if not head.lstrip().startswith(b"{"):
        raise ModelLoadError(
            f"{path} is in XGBoost's old binary form, or damaged, and XGBoost {version} reads JSON and UBJSON only: "
            'load it with the XGBoost that wrote it, 1.6 to 3.0, and save it with save_model("model.ubj").'
        )


def load_catboost(path: Path, threads: int) -> Estimator:
    """CatBoost's own file; its class is told by the loss it was trained with."""
    import catboost  # type: ignore[import-not-found]  # noqa: PLC0415  # a package of the model's own

    model = catboost.CatBoost({"thread_count": threads})
    model.load_model(str(path))
    loss = str(model.get_all_params().get("loss_function", ""))
    kind = catboost.CatBoostClassifier if loss.startswith(CATBOOST_CLASSIFIERS) else catboost.CatBoostRegressor
    served = kind()
    served.load_model(str(path))
    return wrap(served, path)


def load_lightgbm(path: Path, threads: int) -> Estimator:
    import lightgbm  # noqa: PLC0415  # an extra

    booster = lightgbm.Booster(model_file=path)
    classifies = str(booster.params.get("objective")).startswith(CLASSIFIERS)
    names = tuple(booster.feature_name())
    if names == tuple(f"Column_{index}" for index in range(len(names))):
        names = ()  # what LightGBM calls features that were given no name
    categories = pandas_categories.of_lightgbm(booster)
    features = tuple(Feature(name, nullable=True) for name in names or [""] * booster.num_feature())
    methods = ("predict", "predict_proba") if classifies else ("predict",)
    schema = Schema(features, methods=methods, sparse=categories is None)
    estimator = Classifier(booster, threads) if classifies else Regressor(booster, threads)
    return Estimator(estimator, categories.described(schema) if categories else schema, categories)
