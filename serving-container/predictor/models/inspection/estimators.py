"""What is inside a fitted estimator, whose code it is, and which columns it takes."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

KNOWN_PACKAGES = ("sklearn", "xgboost", "lightgbm")
"""Packages whose estimators take arrays of numbers unless they say otherwise, and treat every row by itself."""
INNER = ("best_estimator_", "estimator_", "regressor_")
"""Attributes in which an estimator keeps the one that it hands its rows to."""


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


def names(estimator: Any) -> tuple[str, ...]:
    """Names of the columns that an estimator was trained with."""
    return tuple(map(str, getattr(estimator, "feature_names_in_", ())))


def dropped_columns(estimator: Any) -> frozenset[str]:
    """Names of the columns that an estimator was trained with and does not use."""
    trained = list(getattr(estimator, "feature_names_in_", ()))
    if isinstance(estimator, Pipeline):
        return dropped_columns(estimator.steps[0][1])
    if isinstance(estimator, ColumnTransformer):
        parts = [(part, columns) for _, part, columns in estimator.transformers_ if part != "drop"]
        used = {index for _, columns in parts for index in positions(columns, trained)} if trained else ()
        return frozenset(name for index, name in enumerate(trained) if index not in used)
    inside = members(estimator)
    if getattr(estimator, "passthrough", False) or any(
        list(getattr(member, "feature_names_in_", ())) != trained for member in inside
    ):
        return frozenset()
    return frozenset.intersection(*map(dropped_columns, inside)) if inside else frozenset()


def members(estimator: Any) -> list[Any]:
    """Fitted estimators that an estimator hands its rows to."""
    several = getattr(estimator, "estimators_", ())
    inner = [getattr(estimator, name, None) for name in INNER] + (several if isinstance(several, list) else [])
    calibrated = [each.estimator for each in getattr(estimator, "calibrated_classifiers_", ())]
    return [member for member in inner + calibrated if member is not None and not isinstance(member, str)]


def positions(columns: Any, trained: list[Any]) -> list[int]:
    """Where a ColumnTransformer's columns are: it may have them as names, positions, a slice or a mask."""
    if isinstance(columns, str):
        return [trained.index(columns)]
    if not isinstance(columns, slice) and len(columns) and isinstance(columns[0], str):
        return [trained.index(name) for name in columns]
    found: list[int] = np.atleast_1d(np.arange(len(trained))[columns]).tolist()
    return found


def _parts(estimator: Any) -> list[Any]:
    """An estimator and all estimators inside it."""
    parameters = estimator.get_params(deep=True).values() if isinstance(estimator, BaseEstimator) else ()
    return [estimator, *(value for value in parameters if hasattr(value, "fit") and not isinstance(value, type))]


def _is_known(part: Any) -> bool:
    if isinstance(part, FunctionTransformer):
        return part.func is None or isinstance(part.func, np.ufunc)
    return type(part).__module__.partition(".")[0] in KNOWN_PACKAGES


PACKAGES = ("sklearn", "xgboost", "lightgbm")
"""Packages whose objects are looked into; others only when they are estimators."""
PLAIN = (str, bytes, int, float, np.generic, np.ndarray)


def is_of(package: str, estimator: Any) -> bool:
    """Whether an estimator's class, or one that it is derived from, is of a package."""
    return any(base.__module__.partition(".")[0] == package for base in type(estimator).__mro__)


def has_own_methods(estimator: Any) -> bool:
    """Whether somebody has put a method onto the object, in place of its class's."""
    return any(
        callable(value) and hasattr(type(estimator), name) for name, value in getattr(estimator, "__dict__", {}).items()
    )


def parts(estimator: Any) -> Iterator[Any]:
    """Go through an estimator and all that are inside it, each once."""
    waiting, seen = [estimator], {id(estimator)}
    while waiting:
        part = waiting.pop()
        if not isinstance(part, list | tuple | dict):
            yield part
        for value in _held(part):
            if not isinstance(value, PLAIN) and id(value) not in seen and _may_hold(value):
                seen.add(id(value))
                waiting.append(value)


def _held(part: Any) -> Iterable[Any]:
    if isinstance(part, list | tuple):
        return part
    return part.values() if isinstance(part, dict) else getattr(part, "__dict__", {}).values()


def _may_hold(value: Any) -> bool:
    if isinstance(value, type) or value is None:
        return False
    return (
        isinstance(value, list | tuple | dict) or hasattr(value, "fit") or any(is_of(name, value) for name in PACKAGES)
    )
