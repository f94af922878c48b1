"""A schema as JSON: JSON Schema 2020-12 of one record, with few keywords more (docs/schema.md). Nothing is lost.

to_json(schema) -> document; from_json(document) -> schema
"""

from collections.abc import Mapping
from typing import Any

from predictor.inputs.schema import Container, Feature, FeatureType, Schema

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TYPES: dict[FeatureType, list[str]] = {
    FeatureType.NUMERIC: ["number", "boolean"],
    FeatureType.BOOLEAN: ["boolean", "number"],
    FeatureType.CATEGORICAL: ["number", "boolean"],
    FeatureType.TEXT: ["string"],
    FeatureType.DATETIME: ["string"],
    FeatureType.UNKNOWN: ["string", "number", "boolean"],
}
"""A cell's types: true and false are 1 and 0 to a column of numbers."""


def to_json(schema: Schema, title: str = "model") -> dict[str, Any]:
    """Write a schema as a document."""
    document: dict[str, Any] = {"$schema": DIALECT, "title": title, "x-kind": "table", **_shape(schema)}
    document["x-methods"] = list(schema.methods)
    document["x-container"] = schema.container.value
    document |= {
        name: True for name, true in (("x-sparse", schema.sparse), ("x-mixes-rows", not schema.independent)) if true
    }
    return document


def from_json(document: Mapping[str, Any]) -> Schema:
    """Read a document that `to_json` wrote, or that somebody edited; raises KeyError, TypeError or ValueError."""
    properties = document.get("properties", {})
    ignored = frozenset(name for name, item in properties.items() if item.get("x-ignored"))
    features: tuple[Feature, ...] | None
    if properties:
        features = tuple(_feature(name, item) for name, item in properties.items() if name not in ignored)
    elif "prefixItems" in document:
        features = tuple(_feature("", item) for item in document["prefixItems"])
    else:
        features = None
    return Schema(
        features=features,
        ignored=ignored,
        trained=tuple(properties) if ignored else (),
        methods=tuple(document.get("x-methods", ("predict",))),
        container=Container(document.get("x-container", "array")),
        sparse=bool(document.get("x-sparse", False)),
        independent=not document.get("x-mixes-rows", False),
    )


def _shape(schema: Schema) -> dict[str, Any]:
    """The record: an object where features have names, else an array."""
    if schema.features is None:
        return {}
    items = [_item(feature) for feature in schema.features]
    if schema.names:
        used = dict(zip(schema.names, items, strict=True))
        properties = {name: used.get(name, {"x-ignored": True}) for name in schema.trained or schema.names}
        return {
            "type": "object",
            "properties": properties,
            "required": list(schema.names),
            "additionalProperties": False,
        }
    return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items), "items": False}


def _item(feature: Feature) -> dict[str, Any]:
    types = ["string"] if feature.text else TYPES[feature.type]
    nullable = feature.nullable is not False
    item: dict[str, Any] = {"type": [*types, "null"] if nullable else types, "x-type": feature.type.value}
    if feature.closed:
        item["enum"] = [*feature.categories, *([None] if nullable else ())]
    elif feature.categories:
        item["x-categories"] = list(feature.categories)
    if feature.type is FeatureType.DATETIME:
        item["format"] = "date" if feature.dtype == "date" else "date-time"
    if feature.dtype != "float64":
        item["x-dtype"] = feature.dtype
    item |= _true({"x-none": feature.none, "x-shared": feature.shared})
    if feature.nullable is None:
        item["x-guessed"] = ["null"]
    return item


def _true(facts: dict[str, bool]) -> dict[str, bool]:
    return {name: fact for name, fact in facts.items() if fact}


def _feature(name: str, item: Mapping[str, Any]) -> Feature:
    nullable = None if "null" in item.get("x-guessed", ()) else "null" in item["type"]
    listed = item.get("enum", item.get("x-categories", ()))
    return Feature(
        name=name,
        type=FeatureType(item.get("x-type") or _type(item)),
        dtype=item.get("x-dtype", "float64"),
        nullable=nullable,
        none=bool(item.get("x-none", False)),
        categories=tuple(value for value in listed if value is not None),
        closed="enum" in item,
        shared=bool(item.get("x-shared", False)),
    )


def _type(item: Mapping[str, Any]) -> FeatureType:
    """The feature type of an item that a person wrote."""
    if "enum" in item or "x-categories" in item:
        return FeatureType.CATEGORICAL
    types = {item["type"]} if isinstance(item["type"], str) else set(item["type"])
    if "string" in types and "number" in types:
        return FeatureType.UNKNOWN
    if "string" in types:
        return FeatureType.DATETIME if "format" in item else FeatureType.TEXT
    return FeatureType.NUMERIC if "number" in types or "integer" in types else FeatureType.BOOLEAN
