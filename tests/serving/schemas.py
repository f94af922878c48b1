"""Schemas for tests, said shortly."""

from collections.abc import Iterable
from functools import cache

from predictor.inputs.schema import Container, Feature, FeatureType, Schema


def a_schema(  # noqa: PLR0913  # each is one fact of a schema
    width: int | None = None,
    *,
    names: Iterable[str] = (),
    text: Iterable[int] = (),
    objects: Iterable[int] = (),
    unknown: Iterable[int] = (),
    nones: Iterable[int] = (),
    required: Iterable[int] | None = None,
    missing: bool = False,
    ignored: Iterable[str] = (),
    trained: Iterable[str] = (),
    methods: tuple[str, ...] = ("predict",),
    container: Container = Container.ARRAY,
    sparse: bool = False,
) -> Schema:
    """A schema of `width` features, or of as many as there are names; a number may be missing where all may."""
    named = list(names) or [""] * (width or 0)
    if not named:
        return Schema(methods=methods, sparse=sparse)
    kinds = dict.fromkeys(text, FeatureType.TEXT) | dict.fromkeys(unknown, FeatureType.UNKNOWN)
    never = set(required or ())
    alike = cache(Feature)
    features = [
        alike(
            name,
            kinds.get(at, FeatureType.NUMERIC),
            dtype="object" if at in kinds or at in {*objects} else "float64",
            nullable=at not in never and (missing or at in kinds),
            none=at in {*nones},
        )
        for at, name in enumerate(named)
    ]
    return Schema(
        tuple(features),
        ignored=frozenset(ignored),
        trained=tuple(trained),
        methods=methods,
        container=container,
        sparse=sparse,
    )
