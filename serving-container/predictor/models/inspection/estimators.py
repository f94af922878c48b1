"""What is inside a fitted estimator: its steps and members, whose code it is, what its tags say."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer, LabelBinarizer, LabelEncoder
from sklearn.utils.validation import check_is_fitted

PACKAGES = ("sklearn", "xgboost", "lightgbm", "catboost")
"""Packages whose estimators take arrays of numbers unless they say otherwise, and treat every row by itself."""
PLAIN = (str, bytes, int, float, np.generic)
OF_PREDICTIONS = {"final_estimator_", "transformer_", "init_", "_label_binarizer", "label_binarizer_", "_preprocessor"}
"""Attributes with estimators that take something else than the rows."""
PASSING = {
    "StandardScaler",
    "MinMaxScaler",
    "MaxAbsScaler",
    "RobustScaler",
    "QuantileTransformer",
    "PowerTransformer",
    "VarianceThreshold",
    "SelectKBest",
    "SelectPercentile",
    "FunctionTransformer",
}
"""Transformers that hand missing values on."""


def first_step(estimator: Any) -> Any:
    """The estimator that the rows reach first, behind identities."""
    while isinstance(estimator, Pipeline):
        steps = [step for _, step in estimator.steps if not is_identity(step)]
        if not steps:
            return None
        estimator = steps[0]
    return estimator


def is_identity(step: Any) -> bool:
    """Whether a step hands its rows on as they are."""
    if step is None or step == "passthrough":
        return True
    return type(step) is FunctionTransformer and step.func is None


def is_known(estimator: Any) -> bool:
    """Whether all of an estimator is from a known package: no own classes and no own functions."""
    return all(is_known_part(part) for part in parts(estimator) if hasattr(part, "fit"))


def is_known_part(part: Any) -> bool:
    """Whether an estimator itself is from a known package, and calls no own function."""
    if isinstance(part, FunctionTransformer):
        return part.func is None or isinstance(part.func, np.ufunc)
    return type(part).__module__.partition(".")[0] in PACKAGES


def needs_names(estimator: Any) -> bool:
    """Whether an estimator may select columns by name, so that an array in the right order is not enough."""
    return not is_known(estimator) or any(isinstance(part, ColumnTransformer) for part in parts(estimator))


def tags(estimator: Any) -> Any:
    """The tags of scikit-learn; None for an estimator that has none."""
    try:
        return estimator.__sklearn_tags__()
    except Exception:  # noqa: BLE001  # an estimator of another package may raise anything
        return None


def takes_texts(estimator: Any) -> bool:
    """Whether rows are single texts, as CountVectorizer and its kin take them: one dimension, no features."""
    match estimator:
        case Pipeline():
            return takes_texts(first_step(estimator))
        case FeatureUnion():
            return any(takes_texts(part) for _, part in estimator.transformer_list)
        case ColumnTransformer():
            return False
    said = tags(estimator) if isinstance(estimator, BaseEstimator) else None
    if said is not None and said.input_tags.string and not said.input_tags.two_d_array:
        return True
    return any(map(takes_texts, members(estimator, 0)))


def takes_anything(estimator: Any) -> bool:
    """Whether an estimator looks at no cell, as DummyClassifier; XGBoost only says that it validates by itself."""
    said = tags(estimator) if type(estimator).__module__.startswith("sklearn.") else None
    looks_at_nothing = said is not None and said.no_validation and type(estimator) is not FunctionTransformer
    return looks_at_nothing and not members(estimator, 0)


def allows_missing(estimator: Any) -> bool | None:
    """Whether an estimator takes missing values; None when it does not say."""
    said = tags(estimator)
    return None if said is None else bool(said.input_tags.allow_nan)


def passes_missing(estimator: Any) -> bool:
    """Whether an estimator hands missing values on to the next step."""
    return any(base.__name__ in PASSING for base in type(estimator).__mro__)


def names(estimator: Any) -> tuple[str, ...]:
    """Names of the columns that an estimator was trained with."""
    found = getattr(estimator, "feature_names_in_", None)
    if found is None and isinstance(estimator, Pipeline):
        return names(first_step(estimator))
    if found is None and is_of("catboost", estimator):
        found = estimator.feature_names_ or ()
        return () if [*found] == [str(at) for at in range(len(found))] else tuple(found)
    if found is None and is_known_part(estimator):  # a wrapper asks for feature_names_in_, which CatBoost's have not
        return next((names(member) for member in _held_estimators(estimator) if is_of("catboost", member)), ())
    return () if found is None else tuple(map(str, found))


def width(estimator: Any, trained: tuple[str, ...]) -> int:
    """How many columns an estimator takes; 0 where it does not say."""
    if trained or not is_of("catboost", estimator):
        return len(trained) or getattr(estimator, "n_features_in_", 0) or 0
    return len(estimator.feature_names_)  # its n_features_in_ is 0 once it has been loaded


def members(estimator: Any, width: int) -> list[Any]:
    """Fitted estimators that an estimator hands its rows to, as wrappers, searches and ensembles hold them."""
    if isinstance(estimator, Pipeline | ColumnTransformer | FeatureUnion):
        return []
    trained = names(estimator)
    return [m for m in _held_estimators(estimator) if _takes_same(m, trained, width) and _is_fitted(m)]


def _held_estimators(estimator: Any) -> list[Any]:
    held = getattr(estimator, "__dict__", {})
    fitted = [value for name, value in held.items() if name.endswith("_") and name not in OF_PREDICTIONS]
    found = [member for value in fitted for member in _estimators_in(value)]
    # FrozenEstimator has no other
    return found or list(_estimators_in(held.get("estimator")))


def _estimators_in(value: Any) -> Iterator[Any]:
    if isinstance(value, (type, *PLAIN)):
        return
    if hasattr(value, "fit") and (hasattr(value, "predict") or hasattr(value, "transform")):
        if not isinstance(value, LabelEncoder | LabelBinarizer):  # which take the target
            yield value
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _estimators_in(getattr(each, "estimator", each))  # of CalibratedClassifierCV


def _takes_same(member: Any, trained: tuple[str, ...], width: int) -> bool:
    own = names(member)
    if own and trained:
        return own == trained
    return getattr(member, "n_features_in_", width) == width or not width


def _is_fitted(estimator: Any) -> bool:
    try:
        check_is_fitted(estimator)
    except (NotFittedError, TypeError):
        return False
    return True


def selected(transformer: ColumnTransformer) -> list[tuple[Any, list[int]]]:
    """The fitted parts of a ColumnTransformer, each with the positions of its columns."""
    return selected_by_name(transformer, [name for name, _, _ in transformer.transformers_])


def selected_by_name(
    transformer: ColumnTransformer, wanted: Iterable[str] | None = None
) -> list[tuple[Any, list[int]]]:
    """The fitted parts of these names; without names, of all that have an output, in its order."""
    fitted = {name: (part, columns) for name, part, columns in transformer.transformers_}
    indices = getattr(transformer, "_transformer_to_input_indices", {})
    order = transformer.output_indices_ if wanted is None else wanted
    trained: list[Any] = [*names(transformer)] or [*range(transformer.n_features_in_)]
    return [
        (fitted[name][0], list(indices[name]) if name in indices else positions(fitted[name][1], trained))
        if name in fitted
        else ("drop", [])
        for name in order
    ]


def positions(columns: Any, trained: list[Any]) -> list[int]:
    """Where a ColumnTransformer's columns are: it may have them as names, positions, a slice or a mask."""
    if isinstance(columns, str):
        return [trained.index(columns)]
    if not isinstance(columns, slice) and len(columns) and isinstance(columns[0], str):
        return [trained.index(name) for name in columns]
    found: list[int] = np.atleast_1d(np.arange(len(trained))[columns]).tolist()
    return found


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
            if not isinstance(value, (*PLAIN, np.ndarray)) and id(value) not in seen and _may_hold(value):
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
