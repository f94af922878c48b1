"""What a fitted estimator takes, read from the estimator: which features are numbers, and whether it needs names."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer

KNOWN_PACKAGES = ("sklearn", "xgboost", "lightgbm")
"""Packages whose estimators take arrays of numbers unless they say otherwise, and treat every row by itself."""


def is_known(estimator: Any) -> bool:
    """Whether all of an estimator is from a known package: no own classes and no own functions."""
    return all(_is_known(part) for part in _parts(estimator))


def needs_names(estimator: Any) -> bool:
    """Whether an estimator may select columns by name, so that an array in the right order is not enough."""
    return not is_known(estimator) or any(isinstance(part, ColumnTransformer) for part in _parts(estimator))


def takes_documents(estimator: Any) -> bool:
    """Whether rows are single texts, as CountVectorizer and its kin take them: one dimension, no features."""
    first = estimator.steps[0][1] if isinstance(estimator, Pipeline) else estimator
    return isinstance(first, BaseEstimator) and bool(first.__sklearn_tags__().input_tags.string)


def dropped_columns(estimator: Any) -> frozenset[str]:
    """Names of the columns that an estimator was trained with and does not use."""
    first = estimator.steps[0][1] if isinstance(estimator, Pipeline) else estimator
    names = list(getattr(first, "feature_names_in_", ()))
    if not isinstance(first, ColumnTransformer) or not names:
        return frozenset()
    used = {index for _, part, columns in first.transformers_ if part != "drop" for index in _positions(columns, names)}
    return frozenset(name for index, name in enumerate(names) if index not in used)


def text_features(estimator: Any, width: int) -> frozenset[int] | None:
    """Positions, of `width` features, that need not be numbers; None where that cannot be known."""
    match estimator:
        case str() | None:  # "passthrough" and "drop"
            return frozenset()
        case ColumnTransformer():
            return _of_columns(estimator, width)
        case Pipeline():
            return text_features(_first_that_decides(estimator), width)
        case FeatureUnion():
            return _union(text_features(part, width) for _, part in estimator.transformer_list)
        case _ if not is_known(estimator):
            return None
        case _:
            return _of_estimator(estimator, width)


def _of_estimator(estimator: Any, width: int) -> frozenset[int] | None:
    categories = getattr(estimator, "categories_", ())
    if len(categories) == width:
        return frozenset(index for index, known in enumerate(categories) if not _are_numbers(known))
    inner = [getattr(estimator, "best_estimator_", None), *_listed(getattr(estimator, "estimators_", ()))]
    return _union(text_features(part, width) for part in inner)


def _of_columns(estimator: ColumnTransformer, width: int) -> frozenset[int] | None:
    names = list(getattr(estimator, "feature_names_in_", range(width)))
    found = []
    for _, part, columns in estimator.transformers_:
        positions = _positions(columns, names)
        inner = text_features(part, len(positions)) if positions else frozenset()
        found.append(None if inner is None else frozenset(positions[index] for index in inner))
    return _union(found)


def _positions(columns: Any, names: list[Any]) -> list[int]:
    """Where a ColumnTransformer's columns are: it may have them as names, positions, a slice or a mask."""
    if isinstance(columns, str):
        return [names.index(columns)]
    if not isinstance(columns, slice) and len(columns) and isinstance(columns[0], str):
        return [names.index(name) for name in columns]
    return list(np.atleast_1d(np.arange(len(names))[columns]))


def _first_that_decides(pipeline: Pipeline) -> Any:
    """The first step that is not indifferent to the kind of its input."""
    steps = [step for _, step in pipeline.steps if step is not None and not isinstance(step, str | SimpleImputer)]
    return steps[0] if steps else None


def _are_numbers(categories: Any) -> bool:
    return all(isinstance(known, int | float | np.number | np.bool) or known is None for known in categories)


def _union(found: Iterable[frozenset[int] | None]) -> frozenset[int] | None:
    total: frozenset[int] = frozenset()
    for positions in found:
        if positions is None:
            return None
        total |= positions
    return total


def _parts(estimator: Any) -> list[Any]:
    """An estimator and all estimators inside it."""
    parameters = estimator.get_params(deep=True).values() if isinstance(estimator, BaseEstimator) else ()
    return [estimator, *(value for value in parameters if hasattr(value, "fit") and not isinstance(value, type))]


def _is_known(part: Any) -> bool:
    if isinstance(part, FunctionTransformer):
        return part.func is None or isinstance(part.func, np.ufunc)
    return type(part).__module__.partition(".")[0] in KNOWN_PACKAGES


def _listed(parts: Any) -> list[Any]:
    return list(parts) if isinstance(parts, list) else []
