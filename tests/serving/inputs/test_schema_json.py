"""A schema is written as JSON and read again without loss."""

import json

from hypothesis import given
from hypothesis import strategies as st

from predictor.inputs.schema import METHODS, Container, Feature, FeatureType, Schema
from predictor.inputs.schema_json import from_json, to_json

NAMES = st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=5, unique=True)
CATEGORIES = st.lists(st.text(max_size=5), max_size=4, unique=True) | st.lists(
    st.integers(-9, 9), max_size=4, unique=True
)


@st.composite
def features(draw: st.DrawFn, name: str) -> Feature:
    categories = tuple(draw(CATEGORIES))
    return Feature(
        name,
        draw(st.sampled_from([FeatureType.CATEGORICAL] if categories else [*FeatureType])),
        dtype=draw(st.sampled_from(["float64", "object", "datetime64[ns]", "date"])),
        nullable=draw(st.sampled_from([True, False, None])),
        none=draw(st.booleans()),
        categories=categories,
        closed=bool(categories) and draw(st.booleans()),
        shared=draw(st.booleans()),
    )


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    names = draw(NAMES)
    named = draw(st.booleans())
    ignored = draw(NAMES.map(set)) - set(names) if named else set[str]()
    return Schema(
        features=tuple(draw(features(name if named else "")) for name in names),
        ignored=frozenset(ignored),
        trained=(*names, *sorted(ignored)) if ignored else (),
        methods=tuple(draw(st.lists(st.sampled_from(METHODS), min_size=1, unique=True))),
        container=draw(st.sampled_from(Container)),
        sparse=draw(st.booleans()),
        independent=draw(st.booleans()),
    )


@given(schemas())
def test_nothing_is_lost(schema: Schema) -> None:
    assert from_json(json.loads(json.dumps(to_json(schema)))) == schema


def test_a_schema_of_which_nothing_is_known() -> None:
    assert from_json(to_json(Schema(independent=False))) == Schema(independent=False)


def test_a_feature_that_a_person_writes_needs_the_standards_keywords_only() -> None:
    read = from_json({"properties": {"age": {"type": "integer"}, "day": {"type": "string", "format": "date-time"}}})

    assert [feature.type for feature in read.features or ()] == [FeatureType.NUMERIC, FeatureType.DATETIME]
    assert read.required == (0, 1)
