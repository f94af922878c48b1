"""The schema.json of a model's folder: written by `describe`, and the owner's word where it is edited.

An owner may narrow or correct what was guessed. What is certain of the model stays: an edit against it is an error.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from predictor.errors import ModelLoadError
from predictor.inputs.schema import Feature, Schema
from predictor.inputs.schema_json import from_json

FILE = "schema.json"


def owned(schema: Schema, model_dir: Path) -> Schema:
    """What the model takes by its own description and its owner's file; raises ModelLoadError where they differ."""
    path = model_dir / FILE
    document = _read(path)
    if document is None or document.get("x-kind") != "table":
        return schema
    try:
        theirs = from_json(document)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ModelLoadError(
            f"{path} is no schema of a table ({type(error).__name__}: {error}): write it again."
        ) from error
    if schema.features is None:
        return replace(schema, features=theirs.features)
    names = [feature.name for feature in theirs.features or ()]
    if names != [feature.name for feature in schema.features]:
        raise ModelLoadError(
            f"{path} has the features {names}, and the model has others: write it again with describe."
        )
    if unknown := set(theirs.methods) - set(schema.methods):
        raise ModelLoadError(f"{path} names the method {min(unknown)}, which the model has not.")
    pairs = zip(schema.features, theirs.features or (), strict=True)
    features = tuple(_both(ours, edited, path) for ours, edited in pairs)
    return replace(schema, features=features, methods=theirs.methods)


def _read(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        document: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ModelLoadError(f"{path} cannot be read as JSON: {error}.") from error
    return document


def _both(ours: Feature, edited: Feature, path: Path) -> Feature:
    """The owner's feature; a feature whose type is certain keeps it, and refuses what the model refuses."""
    place = f'{path}, "{ours.name}"'
    if not ours.unknown and edited.type is not ours.type:
        raise ModelLoadError(f"{place}: the model takes {ours.type.value} cells, not {edited.type.value} ones.")
    if ours.nullable is False and edited.nullable is not False:
        raise ModelLoadError(f"{place}: the model takes no missing cell; leave out null.")
    if ours.closed and not edited.known <= ours.known:
        raise ModelLoadError(f"{place}: the model knows {', '.join(map(str, ours.categories))} only.")
    return edited
