"""What a model takes, as its schema.json says it: which columns are sent, and which words stand for a missing cell."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from batch.errors import BatchError
from deployment.model_process import describe_model

MISSING = frozenset(
    {
        "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
        "NULL", "NaN", "None", "n/a", "nan", "null",
    }
)  # fmt: skip
"""What pandas.read_csv takes for a missing cell, besides an empty one."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a model; no names where it was trained without, or where only its own code knows them."""

    names: tuple[str, ...] = ()
    ignored: frozenset[str] = frozenset()
    width: int | None = None
    methods: tuple[str, ...] = ("predict",)
    words: Mapping[str, frozenset[str]] | None = None
    """Of a column, the words for a missing cell that are a category to the model."""

    def takes_all(self, given: Sequence[str]) -> bool:
        """Whether every given column may be sent to the model."""
        return not self.names or {*self.names, *self.ignored}.issuperset(given)

    def known_words(self, column: str) -> frozenset[str]:
        return (self.words or {}).get(column, frozenset())


def read_columns(model: Path, python: Path) -> Columns:
    """Ask the model's folder what the model takes; raises BatchError where it takes no table, or only whole ones."""
    own = model / "schema.json"
    if own.is_file():
        text = own.read_text()
    elif (model / "code").is_dir() or (model / "inference.py").is_file():
        return Columns()
    else:
        text = describe_model(model, python)
    return parse_columns(json.loads(text))


def parse_columns(document: Mapping[str, Any]) -> Columns:
    """Read a schema.json."""
    if document.get("x-kind", "table") != "table":
        raise BatchError(f"the model takes {document['x-kind']}, not a table: a batch is made of a table's rows")
    if document.get("x-mixes-rows"):
        raise BatchError(
            "the model's answer to a row depends on the other rows of the request: a batch is answered in parts, and "
            "would differ from the answer to the whole"
        )
    properties: Mapping[str, Any] = document.get("properties", {})
    ignored = frozenset(name for name, item in properties.items() if item.get("x-ignored"))
    items = document.get("prefixItems")
    return Columns(
        names=tuple(name for name in properties if name not in ignored),
        ignored=ignored,
        width=len(properties) if properties else len(items) if items is not None else None,
        methods=tuple(document.get("x-methods", ("predict",))),
        words={name: _words(item) for name, item in properties.items() if _words(item)},
    )


def _words(item: Mapping[str, Any]) -> frozenset[str]:
    listed = item.get("enum", item.get("x-categories", ()))
    return MISSING.intersection(value for value in listed if isinstance(value, str))
