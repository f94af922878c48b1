"""What the model takes, read once from the schema.json that is packaged with the function.

The file is JSON Schema 2020-12 with few further keywords (docs/schema.md): of one record for a table, of any body for
`x-kind: json`, and media types with a size for `x-kind: binary`. Without the file the model judges everything.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from invoker.settings import SettingsError

KINDS = ("table", "json", "binary")
# Keywords of a feature that are checked here, or say nothing about its values.
PLAIN = {"type", "enum", "format", "title", "description", "examples", "default", "deprecated", "$comment"}
EXAMPLES = {
    "number": 0,
    "integer": 0,
    "string": "text",
    "boolean": True,
    "null": None,
    "date": "2024-01-31",
    "date-time": "2024-01-31T12:00:00",
}


@dataclass(frozen=True, slots=True)
class Feature:
    """One column. Facts that the schema marks as guessed are left out: the model judges them."""

    name: str
    # Empty where the type is not certain.
    types: frozenset[str] = frozenset()
    categories: tuple[Any, ...] = ()
    format: str = ""
    example: Any = None
    # Whether true and false may stand for 1 and 0.
    truths: bool = False
    # Other keywords, which a JSON Schema validator judges.
    others: Mapping[str, Any] = field(default_factory=dict)

    @property
    def nullable(self) -> bool:
        return not self.types or "null" in self.types


@dataclass(frozen=True, slots=True)
class ModelSchema:
    """A schema.json."""

    document: Mapping[str, Any]
    kind: str
    features: Sequence[Feature] = ()
    # Whether the features have names that callers use.
    named: bool = False
    required: frozenset[str] = frozenset()
    # Names of all columns of the training, where some are ignored: rows may have all of them.
    trained: Sequence[str] = ()
    ignored: frozenset[str] = frozenset()
    methods: Sequence[str] = ()
    media_types: Sequence[str] = ()
    max_bytes: int | None = None

    @property
    def names(self) -> list[str]:
        return [feature.name for feature in self.features]

    def example(self) -> Any:
        """Return a body that the schema takes; None for bytes."""
        if self.kind == "json":
            return next(iter(self.document.get("examples", ())), None)
        if self.kind == "binary":
            return None
        cells = {feature.name: feature.example for feature in self.features}
        return {"data": [cells if self.named else list(cells.values())]}


def read(path: Path) -> ModelSchema | None:
    """Return the schema in a file, None where there is none; raise SettingsError when it cannot be used."""
    if not path.is_file():
        return None
    try:
        document = json.loads(path.read_text())
    except ValueError as error:
        raise SettingsError(f"{path}: expected JSON: {error}") from error
    kind = document.get("x-kind") if isinstance(document, dict) else None
    if kind not in KINDS:
        raise SettingsError(f"{path}: expected an object with x-kind of {', '.join(KINDS)}")
    if kind == "table":
        return _table(document)
    return ModelSchema(
        document,
        kind,
        media_types=[name.lower() for name in document.get("x-media-types", ())],
        max_bytes=document.get("x-max-bytes"),
    )


def _table(document: Mapping[str, Any]) -> ModelSchema:
    named = "properties" in document
    items = document["properties"].items() if named else enumerate(document.get("prefixItems", ()))
    return ModelSchema(
        document,
        "table",
        features=[_feature(str(name), item) for name, item in items],
        named=named,
        required=frozenset(document.get("required", ())),
        trained=document.get("x-trained", ()),
        ignored=frozenset(document.get("x-ignored", ())),
        methods=document.get("x-methods", ()),
    )


def _feature(name: str, item: Mapping[str, Any]) -> Feature:
    guessed = set(item.get("x-guessed", ()))
    certain = {keyword: value for keyword, value in item.items() if keyword not in guessed and keyword != "x-guessed"}
    listed = certain.get("type", ())
    examples = [*item.get("examples", ()), *item.get("enum", ())]
    return Feature(
        name,
        types=frozenset([listed] if isinstance(listed, str) else listed),
        categories=tuple(certain.get("enum", ())),
        format=certain.get("format", ""),
        example=_example(item),
        truths=all(example in (0, 1, None) for example in examples),
        others={keyword: value for keyword, value in certain.items() if keyword not in PLAIN and keyword[:2] != "x-"},
    )


def _example(item: Mapping[str, Any]) -> Any:
    given = [*item.get("examples", ()), *item.get("enum", ())]
    listed = item.get("type", "null")
    named = [item.get("format", ""), *([listed] if isinstance(listed, str) else listed)]
    return given[0] if given else next((EXAMPLES[name] for name in named if name in EXAMPLES), None)
