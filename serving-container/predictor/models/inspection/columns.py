"""What the parts of an estimator say of one column, and how their words are put together."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import filterfalse
from typing import Any

import numpy as np
import numpy.typing as npt

from predictor.inputs.conversion import is_missing
from predictor.inputs.schema import Feature, FeatureType

NUMBERS = (int, float, np.number, np.bool)


@dataclass(frozen=True)
class Column:
    """A feature on its way through the walk."""

    type: FeatureType = FeatureType.NUMERIC
    dtype: str = "float64"
    nullable: bool | None = None
    none: bool = False
    categories: tuple[Any, ...] = ()
    closed: bool = False
    shared: bool = False
    passes: bool = False
    """Whether a missing value reaches the next step, which then decides."""

    @property
    def unknown(self) -> bool:
        return self.type is FeatureType.UNKNOWN

    @cached_property
    def unnamed(self) -> Feature:
        """One feature for all columns that are alike: a model may take a million."""
        return self.feature("")

    def feature(self, name: str) -> Feature:
        return Feature(name, self.type, self.dtype, self.nullable, self.none, self.categories, self.closed, self.shared)


NUMBER = Column()
LOOSE = Column(passes=True)
"""A column that is handed on as it is."""
UNKNOWN = Column(FeatureType.UNKNOWN, "object")
UNUSED = Column(FeatureType.UNKNOWN, "unused")
"""A column that no part takes."""


def encoded(known: npt.NDArray[Any], *, closed: bool) -> Column:
    """What an encoder says that has learnt these categories; its list holds a missing value if it has seen one."""
    values = known.tolist() if known.dtype.kind not in "mM" else list(known)
    categories = tuple(
        value.item() if isinstance(value, np.generic) and known.dtype.kind not in "mM" else value
        for value in filterfalse(_is_missing, values)
    )
    nullable = not closed or len(categories) < len(values)
    none = any(value is None for value in values)
    column = Column(FeatureType.CATEGORICAL, "float64", nullable, none, categories, closed)
    if known.dtype.kind == "M":
        return replace(column, type=FeatureType.DATETIME, dtype=str(known.dtype), categories=())
    if known.dtype.kind == "m":
        return replace(column, type=FeatureType.UNKNOWN, dtype="?timedelta", categories=())
    if categories and all(isinstance(value, str) for value in categories):
        return replace(column, dtype="object")
    if categories and all(isinstance(value, bool) for value in categories):
        return replace(column, type=FeatureType.BOOLEAN, dtype="object" if known.dtype.hasobject else "float64")
    if all(isinstance(value, NUMBERS) for value in categories):
        return replace(column, dtype="object" if known.dtype.hasobject else "float64")
    return _of_objects(column, categories)


def _of_objects(column: Column, categories: tuple[Any, ...]) -> Column:
    """A column of other objects: dates and times can be sent, the rest cannot."""
    kinds = {type(value) for value in categories}
    if kinds == {dt.date}:
        return replace(column, type=FeatureType.DATETIME, dtype="date", categories=())
    if all(isinstance(value, dt.datetime) for value in categories):
        zones = {str(value.tzinfo) for value in categories if value.tzinfo}
        return replace(
            column,
            type=FeatureType.DATETIME,
            dtype=f"timestamp [{zones.pop()}]" if len(zones) == 1 else "timestamp",
            categories=(),
        )
    strange = next((kind for kind in kinds if not issubclass(kind, str | int | float)), None)
    if strange is None:  # strings among numbers
        return replace(column, type=FeatureType.UNKNOWN, dtype="object", closed=False)
    return replace(column, type=FeatureType.UNKNOWN, dtype=f"?{strange.__name__}", categories=())


def placed(columns: Sequence[Column], positions: Sequence[int], width: int) -> list[Column]:
    """Columns at their positions among `width`, of which no other is used."""
    found = [UNUSED] * width
    for column, position in zip(columns, positions, strict=True):
        found[position] = column if found[position] is UNUSED else _both(found[position], column)
    return found


def merge(said: Sequence[Sequence[Column]]) -> list[Column]:
    """What several parts say of the same columns, as one."""
    total = list(said[0])
    for columns in said[1:]:
        total = [_both(one, other) for one, other in zip(total, columns, strict=True)]
    return total


def followed_by(columns: Sequence[Column], behind: Sequence[Column]) -> list[Column]:
    """Columns whose missing values the next step decides on, where it says anything."""
    decided = {column.nullable for column in behind}
    nullable = decided.pop() if len(decided) == 1 else None
    passes = all(column.passes for column in behind)
    return [replace(column, nullable=nullable, passes=passes) if column.passes else column for column in columns]


def _both(one: Column, other: Column) -> Column:
    """What two parts say of one column."""
    if other is UNUSED or one is other:
        return one
    if one is UNUSED:
        return other
    rank = (FeatureType.NUMERIC, FeatureType.UNKNOWN, *RANKED)
    first, second = sorted((one, other), key=lambda column: rank.index(column.type), reverse=True)
    plain = FeatureType.NUMERIC in {one.type, other.type} and first.type is not second.type
    return replace(
        first,
        dtype="object" if "object" in {one.dtype, other.dtype} and not first.unknown else first.dtype,
        nullable=_and(one, other),
        none=one.none or other.none,
        categories=_categories(first, second),
        closed=one.closed or other.closed,
        shared=one.shared or other.shared or plain,
        passes=one.passes and other.passes,
    )


RANKED = (FeatureType.BOOLEAN, FeatureType.CATEGORICAL, FeatureType.TEXT, FeatureType.DATETIME)


def _and(one: Column, other: Column) -> bool | None:
    """Whether a cell may be missing for both; a column that is handed on leaves it to the other."""
    said = {column.nullable for column in (one, other)}
    return False if False in said else None if None in said else True


def _categories(one: Column, other: Column) -> tuple[Any, ...]:
    """What neither of two encoders refuses; of two that take all else, what either has seen."""
    if one.closed and other.closed:
        return tuple(value for value in one.categories if value in other.categories)
    if one.closed or other.closed:
        return one.categories if one.closed else other.categories
    return tuple(dict.fromkeys((*one.categories, *other.categories)))


def _is_missing(value: Any) -> bool:
    try:
        return is_missing(value)
    except (TypeError, ValueError):  # pandas' NA compares as neither
        return True
