"""What a fitted estimator takes, read from the estimator: the only place that looks inside one.

The walk begins at the first step: each step says something of the columns that reach it, and columns.py merges what
several parts say of one. What the walk cannot tell stays unknown, and the model judges it.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import NMF, MiniBatchNMF
from sklearn.feature_extraction import DictVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline

from predictor.errors import ModelLoadError
from predictor.inputs.conversion import is_missing
from predictor.inputs.schema import Container, Feature, FeatureType, Schema
from predictor.models.inspection import estimators
from predictor.models.inspection.columns import (
    LOOSE,
    NUMBER,
    UNKNOWN,
    UNUSED,
    Column,
    encoded,
    followed_by,
    merge,
    placed,
)
from predictor.models.inspection.estimators import is_of, parts

FREE_TEXT = Column(FeatureType.TEXT, dtype="object", nullable=False)


def describe(estimator: Any, methods: tuple[str, ...] = ("predict",)) -> Schema:
    """Describe what a fitted estimator takes; raises ModelLoadError when JSON cannot hold it."""
    first = estimators.first_step(estimator)
    independent = estimators.is_known(estimator) and not any(map(_mixes_rows, parts(estimator)))
    if isinstance(first, DictVectorizer):
        return Schema(methods=methods, container=Container.RECORDS, independent=independent)
    if estimators.takes_texts(estimator):
        feature = FREE_TEXT.feature("")
        return Schema((feature,), methods=methods, container=Container.TEXTS, independent=independent)
    trained = estimators.names(estimator)
    width = estimators.width(estimator, trained)
    if not width:
        return Schema(methods=methods, independent=independent)
    found = describe_columns(estimator, width)
    used = [at for at, column in enumerate(found) if column is not UNUSED] if trained else range(width)
    features = tuple(found[at].feature(trained[at]) if trained else found[at].unnamed for at in used)
    _refuse_types(features)
    ignored = frozenset(trained) - {feature.name for feature in features}
    schema = Schema(
        features=features,
        ignored=ignored,
        trained=trained if ignored else (),
        methods=methods,
        container=Container.FRAME if trained and estimators.needs_names(estimator) else Container.ARRAY,
        independent=independent,
    )
    return replace(schema, sparse=schema.numeric and _takes_sparse(estimator))


def describe_columns(estimator: Any, width: int) -> list[Column]:
    """What is known of each of the `width` columns that reach an estimator."""
    match estimator:
        case "drop":
            return [UNUSED] * width
        case str() | None:  # "passthrough"
            return [LOOSE] * width
        case ColumnTransformer():
            return _of_transformer(estimator, width)
        case Pipeline():
            return _of_steps([step for _, step in estimator.steps], width)
        case FeatureUnion():
            return merge([describe_columns(part, width) for _, part in estimator.transformer_list if part != "drop"])
        case _:
            return _of_estimator(estimator, width)


def _of_estimator(estimator: Any, width: int) -> list[Column]:
    if estimators.is_identity(estimator):
        return [LOOSE] * width
    if is_of("catboost", estimator):
        return _of_catboost(estimator, width)
    if not estimators.is_known_part(estimator) or estimators.takes_anything(estimator):
        return [UNKNOWN] * width
    categories = getattr(estimator, "categories_", ())
    if len(categories) == width:
        closed = getattr(estimator, "handle_unknown", "") == "error"
        return [encoded(np.asarray(known), closed=closed) for known in categories]
    if isinstance(columns := getattr(estimator, "_preprocessor", None), ColumnTransformer):  # of HistGradientBoosting
        return _of_boosting(estimator, columns, width)
    return _of_members(estimator, width)


def _of_catboost(model: Any, width: int) -> list[Column]:
    """CatBoost's file says which columns are categories, and not which categories: it takes unknown ones."""
    categories, texts = set(model.get_cat_feature_indices()), set(model.get_text_feature_indices())
    of_others = [FREE_TEXT if at in texts else replace(NUMBER, nullable=True) for at in range(width)]
    return [UNKNOWN if at in categories else column for at, column in enumerate(of_others)]


def _of_members(estimator: Any, width: int) -> list[Column]:
    """What the estimators inside a wrapper say; of one without any, what it says itself."""
    if estimators.takes_texts(estimator):
        return [FREE_TEXT] * width
    members = estimators.members(estimator, width)
    if not members:
        return _numbers(estimator, width)
    passed = [[LOOSE] * width] if getattr(estimator, "passthrough", False) else []  # of stacking
    return merge([*passed, *(describe_columns(member, width) for member in members)])


def _numbers(estimator: Any, width: int) -> list[Column]:
    allows = estimators.allows_missing(estimator)
    passes = bool(allows) and estimators.passes_missing(estimator)
    return [replace(NUMBER, nullable=None if passes else allows, passes=passes)] * width


def _of_boosting(estimator: Any, columns: ColumnTransformer, width: int) -> list[Column]:
    """Categories that HistGradientBoosting reads from the type of a column."""
    places = np.flatnonzero(estimator.is_categorical_).tolist()
    encoder = columns.named_transformers_["encoder"]
    found = [replace(NUMBER, nullable=True)] * width
    for place, column in zip(places, describe_columns(encoder, len(places)), strict=True):
        found[place] = replace(column, nullable=True)
    return found


def _of_transformer(transformer: ColumnTransformer, width: int) -> list[Column]:
    """Each part takes the columns at some positions; a column that none takes is not used."""
    selected = estimators.selected(transformer)
    found = [
        placed(describe_columns(part, len(at)), at, width) for part, at in selected if at and not isinstance(part, str)
    ]
    passed = [placed([LOOSE] * len(at), at, width) for part, at in selected if part == "passthrough" and at]
    return merge([[UNUSED] * width, *found, *passed])


def _of_steps(steps: Sequence[Any], width: int) -> list[Column]:
    """What the first step says, and what later steps say of the columns that it hands on as they are."""
    steps = [step for step in steps if not estimators.is_identity(step)]
    if not steps:
        return [LOOSE] * width
    first, *behind = steps
    found = describe_columns(first, width)
    if not behind:
        return found
    if isinstance(first, SimpleImputer):
        return _imputed(first, _of_steps(behind, width))
    if isinstance(first, ColumnTransformer):
        return _passed_on(first, behind, found)
    if any(column.passes for column in found):
        return followed_by(found, _of_steps(behind, width))
    return found


def _imputed(imputer: SimpleImputer, behind: list[Column]) -> list[Column]:
    """What follows an imputer decides the type; a marker that it replaces is a category too."""
    marker = imputer.missing_values
    replaced = () if is_missing(marker) else (marker,)
    nullable = True if is_missing(marker) else None
    return [
        replace(column, nullable=nullable, none=marker is None, categories=(*column.categories, *replaced))
        if column.categories
        else replace(column, nullable=nullable, none=marker is None, passes=False)
        for column in behind
    ]


def _passed_on(first: ColumnTransformer, behind: Sequence[Any], found: list[Column]) -> list[Column]:
    """Add what later steps say of the columns that pass through a ColumnTransformer.

    Where somebody's own code is behind, nothing is known, and the columns stay numbers.
    """
    width = max((part.stop for part in first.output_indices_.values()), default=0)
    later = _of_steps(behind, width)
    found = list(found)
    for name, (part, at) in zip(first.output_indices_, estimators.selected_by_name(first), strict=False):
        start = first.output_indices_[name].start
        for place, index in zip(at, count(start), strict=False):
            if part == "passthrough" or estimators.is_identity(part):
                if not later[index].unknown:
                    found[place] = merge([[found[place]], [later[index]]])[0]
            elif found[place].passes:
                found[place] = followed_by([found[place]], [later[index]])[0]
    return found


def _mixes_rows(part: Any) -> bool:
    """Whether a row's answer depends on the rows beside it."""
    # They go over all rows until all together change little; IterativeImputer may draw numbers row after row.
    return isinstance(part, NMF | MiniBatchNMF) or bool(getattr(part, "sample_posterior", False))


def _takes_sparse(estimator: Any) -> bool:
    """Whether sparse rows are answered as dense ones: a cell that is not held is zero, and to XGBoost missing."""
    tags = estimators.tags(estimator)
    return tags is not None and tags.input_tags.sparse and not any(is_of("xgboost", part) for part in parts(estimator))


def _refuse_types(features: Sequence[Feature]) -> None:
    for at, feature in enumerate(features):
        if feature.dtype.startswith("?"):
            name = f'"{feature.name}"' if feature.name else at
            raise ModelLoadError(
                f"The column {name} was trained on values of type {feature.dtype[1:]}, which JSON and CSV do not have: "
                "make strings or numbers of them before the training, or read them in code/inference.py."
            )
