"""One feature's cells: made what the model was trained with, or named when they are not that."""

from array import array
from collections.abc import Callable, Sequence
from math import isfinite, isinf, isnan, nan
from typing import Any

import numpy as np
import numpy.typing as npt

from predictor.inputs.rows import Signature

EXACT = 2**53
"""Above it not every whole number is a double: one that is none would be rounded, and be another's identifier."""
BITS = 64
SHOWN = 40
"""Characters of a wrong cell that an error message repeats."""
TRUTHS = {"true": True, "false": False}

Parse = Callable[[str], float] | None
"""What makes a number of a cell, where every cell is text (CSV)."""
WRONG = (TypeError, ValueError, OverflowError)
"""What converting raises when a cell is not what the model takes."""


def convert(cells: Sequence[Any], feature: int, signature: Signature, parse: Parse) -> npt.NDArray[Any]:
    """Make an array of a feature's cells, one dimension; raises one of WRONG."""
    if _is_unknown(feature, signature):
        return _inferred(cells, parse)
    needed = feature in signature.required
    missing = None if feature in signature.nones else nan
    if signature.text and feature in signature.text:
        return _strings(cells, missing, parse, needed=needed)
    values = numbers(cells, parse, missing=signature.missing and not needed)
    if feature not in signature.objects:
        return values
    objects = values.astype(object)
    objects[np.isnan(values)] = missing
    return objects


def numbers(cells: Sequence[Any], parse: Parse, *, missing: bool) -> npt.NDArray[np.float64]:
    """Make numbers of cells; an array refuses what is no number, where NumPy would parse text."""
    try:
        values = np.frombuffer(array("d", map(parse, cells) if parse else cells))
    except TypeError:
        if not missing:
            raise
        values = np.frombuffer(array("d", (nan if cell is None else cell for cell in cells)))
    if np.abs(values).max() < EXACT:  # which NaN is not
        return values
    wrong = np.isinf(values) if missing else ~np.isfinite(values)
    if wrong.any():
        raise ValueError
    if not all(map(_is_exact, cells)):
        raise OverflowError
    return values


def wrong_cell(cell: Any, feature: int, signature: Signature, parse: Parse) -> str | None:
    """What a cell should have been, or None when it is right."""
    needed = feature in signature.required
    if _is_unknown(feature, signature):
        if isinstance(cell, int) and not (_is_exact(cell) and cell.bit_length() < BITS):
            return "a number of 64 bits"
        return None if isinstance(cell, str | float | int | None) else "a string, number, boolean or null"
    if signature.text and feature in signature.text:
        right = isinstance(cell, str) if needed else isinstance(cell, str | None)
        return None if right and (cell or not (needed and parse)) else "a string" if needed else "a string or null"
    return _wrong_number(cell, parse, missing=signature.missing and not needed)


def shown(cell: Any) -> str:
    """A cell as an error message names it, cut short."""
    kinds = {list: "a list", dict: "an object", type(None): "null", bool: str(cell).lower()}
    if isinstance(cell, str):
        return f'"{cell[:SHOWN]}"' + ("..." if len(cell) > SHOWN else "") if cell else "nothing"
    if isinstance(cell, int) and not isinstance(cell, bool):
        return str(cell)[:SHOWN]
    return kinds.get(type(cell)) or str(cell).removesuffix(".0")


def is_missing(cell: Any) -> bool:
    """Whether a cell, or a category, is what stands for none."""
    return cell is None or bool(cell != cell)  # noqa: PLR0124  # NaN is what does not equal itself


def number(cell: str) -> float:
    """Read a CSV cell as a number; an empty one is missing, true and false are 1 and 0, Python's 1_000 is none."""
    if not cell or cell.isspace():
        return nan
    if "_" in cell:
        raise ValueError
    try:
        value = float(cell)
    except ValueError:
        truth = TRUTHS.get(cell.strip().lower())
        if truth is None:
            raise
        return truth
    if abs(value) >= EXACT and not _is_exact(_typed(cell)):
        raise OverflowError
    return value


def _is_unknown(feature: int, signature: Signature) -> bool:
    return signature.text is None or feature in signature.unknown


def _strings(cells: Sequence[Any], missing: float | None, parse: Parse, *, needed: bool) -> npt.NDArray[Any]:
    """Strings as objects, whatever cells stand beside one: of a list, pandas and NumPy would guess a type."""
    values = np.empty(len(cells), dtype=object)
    for index, cell in enumerate(cells):
        absent = not cell if parse else cell is None
        if not isinstance(cell, str | None) or (absent and needed):
            raise TypeError
        values[index] = missing if absent else cell
    return values


def _inferred(cells: Sequence[Any], parse: Parse) -> npt.NDArray[Any]:
    """Numbers where all are numbers, whole ones where all are whole, as pandas reads a column."""
    typed = _all_typed(cells) if parse else cells
    kinds = set(map(type, typed))
    if kinds == {int}:
        return np.array(array("q", typed), dtype=np.int64)
    if kinds == {bool}:
        return np.array(typed, dtype=np.bool)
    if kinds <= {int, float, bool, type(None)} and kinds != {bool, type(None)}:
        return numbers(typed, None, missing=True)
    if not kinds <= {str, int, float, bool, type(None)}:
        raise TypeError
    values = np.empty(len(typed), dtype=object)
    values[:] = [nan if cell is None else cell for cell in typed]
    return values


def _all_typed(cells: Sequence[str]) -> Sequence[Any]:
    """CSV cells as JSON has them: all of a column, or none but the missing ones."""
    typed = [_typed(cell) for cell in cells]
    return [cell or None for cell in cells] if str in map(type, typed) else typed


def _typed(cell: str) -> str | float | int | bool | None:
    text = cell.strip()
    if not text:
        return None
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        return cell if "_" in text or isinf(value) else value
    return TRUTHS.get(text.lower(), cell)


def _is_exact(cell: Any) -> bool:
    """Whether a double holds this number as it is; what is no whole number is as near as it can be."""
    if type(cell) is not int or -EXACT <= cell <= EXACT:
        return True
    try:
        return int(float(cell)) == cell
    except OverflowError:
        return False


def _wrong_number(cell: Any, parse: Parse, *, missing: bool) -> str | None:
    try:
        value = nan if cell is None and missing else parse(cell) if parse else array("d", [cell])[0]
    except OverflowError:
        return "a number that a 64-bit float holds exactly"
    except (TypeError, ValueError):
        return "a number"
    if not parse and not _is_exact(cell):
        return "a number that a 64-bit float holds exactly"
    if isfinite(value) or (isnan(value) and missing):
        return None
    return "a finite number"
