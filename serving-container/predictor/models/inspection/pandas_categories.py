"""Categories of pandas columns, which LightGBM and XGBoost learn as numbers: a category's place in its column's list.

Given an array, both take its cells for such places, so that a model would answer nonsense. The lists are read from the
model, and places put into the rows. A model whose lists cannot be told for certain is refused.

LightGBM: https://lightgbm.readthedocs.io/en/stable/Advanced-Topics.html#categorical-feature-support
XGBoost: https://xgboost.readthedocs.io/en/stable/tutorials/categorical.html#auto-recoding-data-consistency
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from predictor.errors import ModelLoadError
from predictor.inputs.schema import FeatureType, Schema
from predictor.models.inspection import estimators
from predictor.models.inspection.estimators import is_of, parts

REMEDY = "put it behind an OrdinalEncoder in one Pipeline, train that on the same columns, and save it"


@dataclass(frozen=True, slots=True)
class Categories:
    """The categories of a model's columns."""

    places: dict[int, dict[Any, int]]
    """Of each such column, by its position: the place of each category."""
    closed: bool
    """Whether the model refuses a category that it does not know; else it is a missing value."""

    def described(self, schema: Schema) -> Schema:
        """The schema with these categories; all else that the model takes are numbers that may be missing."""
        features = [
            replace(
                feature,
                type=FeatureType.CATEGORICAL if at in self.places else FeatureType.NUMERIC,
                dtype="object" if at in self.text else "float64",
                nullable=True,
                categories=tuple(self.places.get(at, ())),
                closed=self.closed and at in self.places,
            )
            for at, feature in enumerate(schema.features or ())
        ]
        return replace(schema, features=tuple(features), sparse=False)

    @property
    def text(self) -> frozenset[int]:
        """Positions of the columns whose categories are text; those of the others are numbers."""
        return frozenset(position for position, known in self.places.items() if any(isinstance(k, str) for k in known))

    def numbers(self, rows: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Put places in place of categories, NaN where there is none."""
        numbers = rows.astype(object)
        for position, known in self.places.items():
            numbers[:, position] = [known.get(cell, np.nan) for cell in rows[:, position]]
        return numbers.astype(np.float64)


def read(estimator: Any) -> Categories | None:
    """Read a model's categories; raises ModelLoadError where that cannot be done.

    One inside another estimator is refused: what that hands on is an array, or a column of another type. Somebody's own
    code may hand on categories.
    """
    found = _of(estimator)
    if found is None and estimators.is_known(estimator) and (inside := next(filter(_of, parts(estimator)), None)):
        kind = type(inside).__name__
        raise ModelLoadError(f"The {kind} inside was trained on pandas categories: save it alone, or {REMEDY}.")
    return found


def of_lightgbm(booster: Any) -> Categories | None:
    """Read the categories of LightGBM's Booster."""
    lists = booster.pandas_categorical
    if not lists:
        return None
    import lightgbm  # noqa: PLC0415  # an extra

    # A booster that was loaded knows its parameters as the file has them.
    again = lightgbm.Booster(model_str=booster.model_to_string(num_iteration=1))
    positions = again.params.get("categorical_feature") or []
    # Ordered categories are treated as numbers, and columns of numbers as categories when they are named.
    if len(positions) != len(lists) or not _fit(again, positions, lists):
        raise ModelLoadError(
            f"The model has {len(lists)} columns of pandas categories, and which these are cannot be told "
            f"(ordered ones, or others that were named in categorical_feature): {REMEDY}."
        )
    return Categories({at: _places(known) for at, known in zip(positions, lists, strict=True)}, closed=False)


def _fit(booster: Any, positions: list[int], lists: list[list[Any]]) -> bool:
    """Whether what was seen in training at these positions are places in these lists."""
    described = booster.dump_model(num_iteration=1)
    infos = [described["feature_infos"].get(described["feature_names"][at], {}) for at in positions]
    return all(
        value in range(-1, len(known))
        for info, known in zip(infos, lists, strict=True)
        for value in info.get("values", ())
    )


def of_xgboost(booster: Any) -> Categories | None:
    """Read the categories of XGBoost's Booster, which has them since 3.1."""
    positions = [at for at, kind in enumerate(booster.feature_types or ()) if kind == "c"]
    if not positions:
        return None
    learner = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]
    stored = learner.get("gbtree", learner)["model"].get("cats", {}).get("enc", [])
    try:
        return Categories({at: _places(_stored(stored[at])) for at in positions}, closed=True)
    except (IndexError, UnicodeDecodeError) as error:
        raise ModelLoadError(
            "The model has columns of categories, which it does not hold, or not as they were (XGBoost before 3.1 "
            f"does not, and none holds others than ASCII rightly): {REMEDY}."
        ) from error


def _of(estimator: Any) -> Categories | None:
    """Read the categories of an estimator of either library's scikit-learn interface."""
    lightgbm, xgboost = (
        hasattr(estimator, "booster_"),
        is_of("xgboost", estimator) and hasattr(estimator, "get_booster"),
    )
    if lightgbm and is_of("lightgbm", estimator):
        return of_lightgbm(estimator.booster_)
    return of_xgboost(estimator.get_booster()) if xgboost and estimator.__sklearn_is_fitted__() else None


def _stored(column: dict[str, Any]) -> list[Any]:
    """A column's categories as XGBoost has them: numbers, or text as bytes with the place where each ends."""
    values: list[Any] = column["values"]
    if not values:
        raise IndexError
    if "offsets" not in column:
        return values
    content = bytes(value % 256 for value in values)
    # Its offsets count characters, and are wrong where one has several bytes.
    return [content[start:end].decode("ascii") for start, end in pairwise(column["offsets"])]


def _places(known: Sequence[Any]) -> dict[Any, int]:
    texts = sum(isinstance(category, str) for category in known)
    exact = all(isinstance(category, str) or float(category) == category for category in known)
    if texts not in (0, len(known)) or not exact:
        raise ModelLoadError(f"The model has a column with categories of several kinds: {REMEDY}.")
    return {category: place for place, category in enumerate(known)}
