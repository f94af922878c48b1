"""Labels of columns, as clients write them: made the model's own names, or none."""

from collections.abc import Sequence
from typing import Any
from unicodedata import normalize

from predictor.errors import BadInputError, Fault
from predictor.inputs.schema import Schema

Names = tuple[str, ...]


def names(labels: Sequence[Any], schema: Schema, pointer: str) -> Names | None:
    """Read labels that are names; None for 0 to n-1 in order, as pandas counts the columns of an array."""
    if all(type(label) is int for label in labels):
        texts = tuple(map(str, labels))
        if schema.names and set(texts) == set(schema.names):
            return texts
        if _are_counted(texts):
            return None
    for index, label in enumerate(labels):
        if not isinstance(label, str):
            _refuse(label, f"{pointer}/{index}")
    if not schema.names and not schema.own_code and _are_counted(labels):
        return None
    return as_trained(labels, schema)


def as_trained(labels: Sequence[str], schema: Schema) -> Names:
    """Write each label as the model's name that it looks like: one letter may be written in several ways in Unicode."""
    known = {*schema.names, *schema.ignored}
    if known.issuperset(labels) or not known:
        return tuple(labels)
    composed = {normalize("NFC", name): name for name in known}
    if len(composed) < len(known):
        return tuple(labels)
    return tuple(label if label in known else composed.get(normalize("NFC", label), label) for label in labels)


def counted(labels: Names) -> Names:
    """Put the texts 0 to n-1 in order; others stay as they are."""
    positions = tuple(map(str, range(len(labels))))
    return positions if set(labels) == set(positions) else labels


def _are_counted(labels: Sequence[str]) -> bool:
    return all(label == str(index) for index, label in enumerate(labels))


def _refuse(label: Any, pointer: str) -> None:
    shown = {list: "a list", dict: "an object", type(None): "null"}.get(type(label), str(label)[:40])
    detail = f"expected names, or 0 to n-1 in order, got {shown}"
    raise BadInputError(f"The body is not what the model takes: {detail}.", Fault(pointer, detail))
