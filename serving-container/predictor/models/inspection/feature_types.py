"""What kind each feature of a fitted estimator is, read from the estimator: a number, a string, or what else it saw."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, filterfalse, takewhile
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer

from predictor.inputs.conversion import is_missing
from predictor.inputs.known_categories import Known
from predictor.models.inspection import estimators


@dataclass(frozen=True, slots=True)
class Kinds:
    """Features by their position; one that is nowhere here is a number."""

    categories: Mapping[int, list[Any]] = field(default_factory=dict)
    """Of each feature that was no array of numbers, the categories it had in training."""
    documents: frozenset[int] = frozenset()
    """Features that are free text."""
    nones: frozenset[int] = frozenset()
    """Features whose missing values are None to an imputer."""
    unknown: frozenset[int] = frozenset()
    """Features that somebody's own code takes."""
    closed: Mapping[int, list[Any]] = field(default_factory=dict)
    """Of each feature of which the encoder refuses what it has not seen in training, what it has seen."""
    tolerant: Mapping[int, list[Any]] = field(default_factory=dict)
    """Of each feature of numbers of which the encoder takes what it has not seen as well, what it has seen."""
    shared: frozenset[int] = frozenset()
    """Those of them that are numbers as they are to another part of the model."""

    def at(self, positions: Mapping[int, int]) -> "Kinds":
        """The same features where they are among others; those without a position are left out."""
        categories, closed, tolerant = (
            {positions[index]: known for index, known in found.items() if index in positions}
            for found in (self.categories, self.closed, self.tolerant)
        )
        documents, nones, unknown, shared = (
            frozenset(positions[index] for index in found if index in positions)
            for found in (self.documents, self.nones, self.unknown, self.shared)
        )
        return Kinds(categories, documents, nones, unknown, closed, tolerant, shared)

    @property
    def flags(self) -> frozenset[int]:
        """Features that were true or false in training, to an encoder that takes other numbers as well."""
        found = {index for index, known in self.tolerant.items() if all(isinstance(each, bool) for each in known)}
        return frozenset(found - self.closed.keys() - self.shared)

    def signature(self, names: Iterable[str]) -> dict[str, frozenset[int]]:
        """The fields of a Signature that say so."""
        text = self.documents | {index for index, known in self.categories.items() if _all(known, str)}
        objects = {index for index, known in self.categories.items() if index not in text and _all(known, float)}
        unlike = {index for index in text & self.categories.keys() if not _overlap(self.categories[index], names)}
        nones = self.nones | {index for index, known in self.categories.items() if None in known}
        return {
            "text": text,
            "objects": frozenset(objects),
            "unknown": self.unknown.union(self.categories) - text - objects,
            "unlike_names": frozenset(unlike - self.documents),
            "required": self.documents,
            "nones": frozenset(nones),
        }

    def known(self, names: Sequence[str]) -> list[Known]:
        """What encoders know of each feature. ONNX takes any number for true or false, so others are to be refused."""
        tolerant = self.tolerant.keys() - self.closed.keys() - self.shared
        listed = [(index, known, True) for index, known in self.closed.items()]
        listed += [(index, self.tolerant[index], index in self.flags) for index in sorted(tolerant)]
        return [
            Known(index, names[index] if names else str(index), _cells(known), closed)
            for index, known, closed in listed
        ]

    def example(self, index: int) -> Any:
        """A cell that the feature may hold."""
        if index in self.documents:
            return ""
        known = self.closed.get(index) or self.categories.get(index) or ()
        return next(filterfalse(is_missing, known), 1.0)


def read(estimator: Any) -> Kinds | None:
    """Read the kinds of the columns that an estimator makes use of; None when it does not say how many there are."""
    width = 1 if estimators.takes_documents(estimator) else getattr(estimator, "n_features_in_", None)
    if width is None:
        return Kinds() if estimators.is_known(estimator) else None
    ignored = estimators.dropped_columns(estimator)
    used = [index for index, name in enumerate(estimators.names(estimator)) if name not in ignored]
    found = of(estimator, width)
    return found.at({index: place for place, index in enumerate(used)}) if ignored else found


def of(estimator: Any, width: int) -> Kinds:
    """Read the kinds of `width` features."""
    match estimator:
        case str() | None:  # "passthrough" and "drop"
            return Kinds()
        case ColumnTransformer():
            return _of_columns(estimator, width)
        case Pipeline():
            return _of_pipeline(estimator, width)
        case FeatureUnion():
            return _of_parts([(part, range(width)) for _, part in estimator.transformer_list])
        case _:
            return _of_estimator(estimator, width)


def _of_estimator(estimator: Any, width: int) -> Kinds:
    everything = frozenset(range(width))
    if not estimators.is_known(estimator):
        return Kinds(unknown=everything)
    if estimators.takes_documents(estimator):
        return Kinds(documents=everything)
    categories = getattr(estimator, "categories_", ())
    if len(categories) == width:
        listed = {index: np.asarray(known) for index, known in enumerate(categories)}
        lists = {index: known.tolist() for index, known in listed.items()}
        strange = {index: lists[index] for index, known in listed.items() if known.dtype.kind not in "iufb"}
        if getattr(estimator, "handle_unknown", "") == "error":
            return Kinds(strange, closed=lists)
        return Kinds(strange, tolerant={index: known for index, known in lists.items() if _all(known, float)})
    if isinstance(columns := getattr(estimator, "_preprocessor", None), ColumnTransformer):  # of HistGradientBoosting
        categorical = np.flatnonzero(estimator.is_categorical_).tolist()
        return _of_estimator(columns.named_transformers_["encoder"], len(categorical)).at(dict(enumerate(categorical)))
    return _of_parts([(member, range(width)) for member in estimators.members(estimator)])


def _of_columns(estimator: ColumnTransformer, width: int) -> Kinds:
    names = list(getattr(estimator, "feature_names_in_", range(width)))
    parts = [(part, estimators.positions(columns, names)) for _, part, columns in estimator.transformers_]
    return _of_parts([(part, positions) for part, positions in parts if positions])


def _of_parts(parts: Sequence[tuple[Any, Sequence[int]]]) -> Kinds:
    """Each part takes the features at some positions."""
    parts = [(part, positions) for part, positions in parts if part != "drop"]
    found = [of(part, len(positions)).at(dict(enumerate(positions))) for part, positions in parts]
    takers = Counter(index for _, positions in parts for index in positions)
    encoders = Counter(index for kinds in found for index in kinds.tolerant)
    total = _union(found)
    return replace(total, shared=total.shared | {index for index in total.tolerant if takers[index] > encoders[index]})


def _of_pipeline(pipeline: Pipeline, width: int) -> Kinds:
    return _of_steps([step for _, step in pipeline.steps if step is not None and not isinstance(step, str)], width)


def _of_steps(steps: Sequence[Any], width: int) -> Kinds:
    """The first step that is not indifferent to the kind of its input decides."""
    imputers = list(takewhile(lambda step: isinstance(step, SimpleImputer), steps))
    decides, *behind = steps[len(imputers) :] or [None]
    nones = frozenset(range(width)) if any(step.missing_values is None for step in imputers) else frozenset()
    passed_on = _passed_on(decides, behind) if isinstance(decides, ColumnTransformer) else Kinds()
    found = _union((of(decides, width), passed_on, Kinds(nones=nones)))
    markers = [step.missing_values for step in imputers if isinstance(step.missing_values, str | int | float)]
    replaced = list(filterfalse(is_missing, markers))  # by something that the encoder knows
    return replace(found, closed={index: known + replaced for index, known in found.closed.items()})


def _passed_on(columns: ColumnTransformer, behind: Sequence[Any]) -> Kinds:
    """What the steps behind a ColumnTransformer know of the columns that go through it as they are.

    Where somebody's own code is behind, nothing is known, and the columns stay numbers.
    """
    names = list(getattr(columns, "feature_names_in_", range(columns.n_features_in_)))
    places: dict[int, int] = {}
    for name, part, selected in columns.transformers_:
        if part == "passthrough" or (type(part) is FunctionTransformer and part.func is None):
            places |= zip(count(columns.output_indices_[name].start), estimators.positions(selected, names))
    known = _of_steps(behind, max(part.stop for part in columns.output_indices_.values()))
    return replace(known, unknown=frozenset()).at(places)


def _union(found: Iterable[Kinds]) -> Kinds:
    total = Kinds()
    for kinds in found:
        total = Kinds(
            {**total.categories, **kinds.categories},
            total.documents | kinds.documents,
            total.nones | kinds.nones,
            total.unknown | kinds.unknown,
            _known_to_both(total.closed, kinds.closed),
            {index: [*total.tolerant.get(index, ()), *known] for index, known in kinds.tolerant.items()}
            | {index: known for index, known in total.tolerant.items() if index not in kinds.tolerant},
            total.shared | kinds.shared,
        )
    return total


def _known_to_both(one: Mapping[int, list[Any]], other: Mapping[int, list[Any]]) -> dict[int, list[Any]]:
    """Where two encoders take one feature, what neither refuses."""
    both = {index: [each for each in one[index] if each in other[index]] for index in one.keys() & other.keys()}
    return {**one, **other, **both}


def _cells(known: Iterable[Any]) -> dict[Any, None]:
    """Without what stands for missing; an array of objects may hold NumPy's, which JSON does not have."""
    return {each.item() if isinstance(each, np.generic) else each: None for each in filterfalse(is_missing, known)}


def _all(known: list[Any], kind: type) -> bool:
    """Whether all categories are strings, or numbers (float), missing ones aside."""
    kinds: tuple[type, ...] = (str,) if kind is str else (int, float, np.number, np.bool)
    return all(isinstance(category, kinds) for category in filterfalse(is_missing, known))


def _overlap(known: list[Any], names: Iterable[str]) -> bool:
    return not set(names).isdisjoint(map(str, known))
