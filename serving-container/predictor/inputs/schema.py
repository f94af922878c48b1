"""What a model takes and answers: one frozen value, made by `describe` and read by everything else.

Validation, conversion, batching and messages ask the schema, and never the model.
"""

import json
import unicodedata
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

METHODS = ("predict", "predict_proba", "decision_function", "transform")
"""The allow-list: what a request may ask of a model."""
EXAMPLE_CELLS = 12
"""Cells of an example in a message."""


class FeatureType(StrEnum):
    """What the cells of a feature are."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"
    TEXT = "text"
    BOOLEAN = "boolean"
    DATETIME = "datetime"
    UNKNOWN = "unknown"
    """Only the model knows: cells pass as they came."""


class Container(StrEnum):
    """What an estimator takes rows as."""

    ARRAY = "array"
    FRAME = "frame"
    """A pandas DataFrame, for an estimator that selects columns by name."""
    TEXTS = "texts"
    """An array of strings in one dimension, for a text vectorizer."""
    RECORDS = "records"
    """A list of dicts, for a DictVectorizer."""


@dataclass(frozen=True)
class Feature:
    """One column of the model's table."""

    name: str = ""
    """Empty where the model was trained without names."""
    type: FeatureType = FeatureType.NUMERIC
    dtype: str = "float64"
    """Type of the column that the model gets: float64, object, datetime64[UNIT], or timestamp and date, as objects."""
    nullable: bool | None = None
    """Whether a cell may be missing; None when only the model knows."""
    none: bool = False
    """Whether a missing cell is None to the model, and not NaN."""
    categories: tuple[Any, ...] = ()
    """Values known from training, in its order, without what stands for missing."""
    closed: bool = False
    """Whether the model refuses values that are not among the categories."""
    shared: bool = False
    """Whether another part of the model takes the value as a plain number as well."""

    @cached_property
    def text(self) -> bool:
        """Whether the cells are strings."""
        if self.type is FeatureType.CATEGORICAL:
            return bool(self.categories) and isinstance(self.categories[0], str)
        return self.type is FeatureType.TEXT

    @property
    def unknown(self) -> bool:
        """Whether only the model knows what the cells are."""
        return self.type is FeatureType.UNKNOWN

    @cached_property
    def plain(self) -> bool:
        """Whether the model gets the cells as doubles."""
        return self.dtype == "float64" and not self.text and not self.unknown

    @cached_property
    def known(self) -> frozenset[Any]:
        """The categories, to look a value up."""
        return frozenset(self.categories)

    @property
    def example(self) -> Any:
        """A cell that the feature may hold: a category, and else 1, for there are models that refuse zero."""
        if self.type is FeatureType.TEXT:
            return ""
        return self.categories[0] if self.categories else 1.0


@dataclass(frozen=True)
class Schema:
    """What a model takes and offers."""

    features: tuple[Feature, ...] | None = None
    """In the model's order; None when nothing is known of them."""
    ignored: frozenset[str] = frozenset()
    """Names of columns that may come and that the model makes no use of."""
    trained: tuple[str, ...] = ()
    """Names of all columns in the order of the training, where some are ignored."""
    methods: tuple[str, ...] = ("predict",)
    """The allowed methods that the model has; the first is the default."""
    container: Container = Container.ARRAY
    sparse: bool = False
    """Whether the model takes a sparse matrix as it is."""
    independent: bool = True
    """Whether a row's prediction does not depend on the rows beside it: requests may be predicted as one batch."""

    @cached_property
    def width(self) -> int | None:
        """Features of a row; None when the model does not say."""
        return None if self.features is None else len(self.features)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the features; empty when the model was trained without names."""
        names = tuple(feature.name for feature in self.features or ())
        return names if all(names) else ()

    @cached_property
    def aliases(self) -> dict[str, str]:
        """Names by the form in which they are compared when they are not equal as they are."""
        return {plain_name(name): name for name in (*self.ignored, *self.names)}

    @cached_property
    def numeric(self) -> bool:
        """Whether every feature is a number: rows are then one matrix of doubles."""
        return self.features is not None and all(feature.plain for feature in self.features)

    @cached_property
    def own_code(self) -> bool:
        """Whether the model's own code takes rows as they come, so that nothing is known of any feature."""
        return self.features is None or all(feature.unknown for feature in self.features)

    @cached_property
    def required(self) -> tuple[int, ...]:
        """Positions of the features that may not be missing."""
        return tuple(at for at, feature in enumerate(self.features or ()) if feature.nullable is False)

    @cached_property
    def closed(self) -> tuple[int, ...]:
        """Positions of the features whose unknown values the model refuses."""
        return tuple(at for at, feature in enumerate(self.features or ()) if feature.closed)

    @cached_property
    def example(self) -> str:
        """A request of one row that suits this model, as JSON; cut short where the row is long."""
        features = self.features or ()
        row = [1 if feature.example == 1 else feature.example for feature in features[:EXAMPLE_CELLS]]
        cells = json.dumps(row, ensure_ascii=False, default=str)[1:-1] + ", ..." * (len(features) > EXAMPLE_CELLS)
        names = json.dumps(self.names[:EXAMPLE_CELLS], ensure_ascii=False)[1:-1]
        columns = f'"columns": [{names}{", ..." * (len(features) > EXAMPLE_CELLS)}], ' if self.names else ""
        return f'{{{columns}"data": [[{cells}]]}}'

    @cached_property
    def text(self) -> tuple[int, ...]:
        """Positions of the features whose cells are strings."""
        return tuple(at for at, feature in enumerate(self.features or ()) if feature.text)

    @cached_property
    def flags(self) -> tuple[int, ...]:
        """Positions of the features that were true or false in training, to an encoder that takes other numbers too."""
        return tuple(
            at
            for at, feature in enumerate(self.features or ())
            if feature.type is FeatureType.BOOLEAN and not (feature.closed or feature.shared)
        )

    def changed(self, **facts: Any) -> "Schema":
        """The same schema with other facts of every feature."""
        return replace(self, features=tuple(replace(feature, **facts) for feature in self.features or ()))

    def feature(self, position: int) -> Feature:
        """The feature at a position; an unknown one where nothing is known."""
        return ANY if self.features is None else self.features[position]

    def label(self, position: int) -> str:
        """What a message calls a feature: its name, or its position."""
        return f'"{self.names[position][:80]}"' if self.names else str(position)


def plain_name(name: str) -> str:
    """A name without what is lost on the way: blanks at its ends, the form of its letters, LightGBM's blanks."""
    return "_".join(unicodedata.normalize("NFC", name).split())


ANY = Feature(type=FeatureType.UNKNOWN, dtype="object")
