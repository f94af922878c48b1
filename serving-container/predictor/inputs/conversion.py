"""One feature's cells: made what the model was trained with, or named when they are not that."""

import datetime as dt
import re
from array import array
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import isfinite, isinf, isnan, nan
from typing import Any

import numpy as np
import numpy.typing as npt

from predictor.inputs.schema import Feature, FeatureType

EXACT = 2**53
"""float64 cannot represent every integer from here on; an identifier would silently change."""
BITS = 64
SHOWN = 40
"""Characters of a wrong cell that an error message repeats."""
TRUTHS = {"true": True, "false": False}
NA = "NA"
"""What R writes in CSV for a missing cell, which pandas reads as one too."""
PADDED = re.compile(r"[+-]?0[0-9]")
"""How digits begin that are text: a number has no leading zeros, a postal code has."""

Parse = Callable[[str], float] | None
"""What makes a number of a cell, where every cell is text (CSV)."""
WRONG = (TypeError, ValueError, OverflowError)
"""What converting raises when a cell is not what the model takes."""
DATE = "a date or time as ISO 8601 has it, such as 2024-01-31 or 2024-01-31T12:00:00Z"


def convert(cells: Sequence[Any], feature: Feature, parse: Parse) -> npt.NDArray[Any]:
    """Make an array of a feature's cells, one dimension; raises one of WRONG."""
    if feature.unknown:
        return _inferred(cells, parse)
    missing = None if feature.none else nan
    if feature.text:
        if parse and _is_gap(NA, feature):
            cells = ["" if cell == NA else cell for cell in cells]
        return _strings(cells, missing, parse, needed=feature.nullable is False)
    if feature.type is FeatureType.DATETIME:
        return _datetimes(cells, feature, parse)
    values = numbers(cells, parse, missing=feature.nullable is not False)
    if feature.dtype == "float64":
        return values
    objects = values.astype(object)
    objects[np.isnan(values)] = missing
    return objects


def numbers(cells: Sequence[Any], parse: Parse, *, missing: bool) -> npt.NDArray[np.float64]:
    """Make numbers of cells; an array refuses what is no number, where NumPy would parse text."""
    try:
        values = np.frombuffer(_parsed(cells, parse) if parse else array("d", cells))
    except TypeError:
        if not missing:
            raise
        values = np.frombuffer(array("d", (nan if cell is None else cell for cell in cells)))
    if not (np.abs(values) >= EXACT).any() and (missing or not np.isnan(values).any()):
        return values
    wrong = np.isinf(values) if missing else ~np.isfinite(values)
    if wrong.any():
        raise ValueError
    if not all(map(_is_exact, cells)):
        raise OverflowError
    return values


def _parsed(cells: Sequence[str], parse: Callable[[str], float]) -> "array[float]":
    """Parse cells, all at once where each is empty or a number as Python writes it, but for 1_000."""
    if "_" not in "".join(cells):
        with suppress(ValueError):
            values = array("d", [float(cell) if cell else nan for cell in cells])
            if not (np.abs(np.frombuffer(values)) >= EXACT).any():
                return values
    return array("d", map(parse, cells))


def wrong_cell(cell: Any, feature: Feature, parse: Parse) -> str | None:
    """What a cell should have been, or None when it is right."""
    needed = feature.nullable is False
    if feature.unknown:
        if isinstance(cell, int) and not (_is_exact(cell) and cell.bit_length() < BITS):
            return "a number of 64 bits"
        return None if isinstance(cell, str | float | int | None) else "a string, number, boolean or null"
    if feature.text:
        cell = "" if parse and _is_gap(cell, feature) else cell
        right = isinstance(cell, str) if needed else isinstance(cell, str | None)
        return None if right and (cell or not (needed and parse)) else "a string" if needed else "a string or null"
    if feature.type is FeatureType.DATETIME:
        return _wrong_datetime(cell, feature, parse)
    return _wrong_number(cell, parse, missing=not needed)


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


def _is_gap(cell: Any, feature: Feature) -> bool:
    """Whether a CSV cell of categories stands for a missing one: R's NA, unless that is one of them."""
    return bool(cell == NA and feature.type is FeatureType.CATEGORICAL and NA not in feature.known)


def number(cell: str) -> float:
    """Read a CSV cell as a number; an empty one and R's NA are missing, true and false are 1 and 0, 1_000 is none."""
    if not cell or cell.isspace() or cell.strip() == NA:
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


def _datetimes(cells: Sequence[Any], feature: Feature, parse: Parse) -> npt.NDArray[Any]:
    """Dates and times as the model was trained with: datetime64, or objects of pandas or Python."""
    absent = [cell is None or (parse is not None and not cell) for cell in cells]
    if feature.nullable is False and any(absent):
        raise TypeError
    moments = [None if gone else _moment(cell) for cell, gone in zip(cells, absent, strict=True)]
    if feature.dtype == "date":
        values = np.empty(len(cells), dtype=object)
        values[:] = [None if moment is None else moment.date() for moment in moments]
        return values
    import pandas as pd  # noqa: PLC0415  # a worker with an ONNX model never needs it

    zone = feature.dtype.partition(" ")[2].strip("[]")
    stamps = [pd.NaT if moment is None else pd.Timestamp(moment) for moment in moments]
    if feature.dtype.startswith("timestamp"):
        values = np.empty(len(cells), dtype=object)
        values[:] = [stamp if stamp is pd.NaT or not zone else _in_zone(stamp, zone) for stamp in stamps]
        return values
    if any(getattr(stamp, "tzinfo", None) for stamp in stamps):
        raise ValueError
    return np.array([stamp.to_datetime64() for stamp in stamps], dtype=feature.dtype)


def _in_zone(stamp: Any, zone: str) -> Any:
    """A time with its zone; one without a zone is in the model's."""
    return stamp.tz_convert(zone) if stamp.tzinfo else stamp.tz_localize(zone)


def _moment(cell: Any) -> dt.datetime:
    """Read a date or time as ISO 8601 has it; raises TypeError or ValueError."""
    if not isinstance(cell, str):
        raise TypeError
    return dt.datetime.fromisoformat(cell.strip())


def _wrong_datetime(cell: Any, feature: Feature, parse: Parse) -> str | None:
    try:
        _datetimes([cell], feature, parse)
    except WRONG:
        return DATE
    return None


def _strings(cells: Sequence[Any], missing: float | None, parse: Parse, *, needed: bool) -> npt.NDArray[Any]:
    """Strings as objects, whatever cells stand beside one: of a list, pandas and NumPy would guess a type."""
    absent = "" if parse else None
    if (needed and absent in cells) or not (parse or {str, type(None)}.issuperset(map(type, cells))):
        raise TypeError
    values = np.empty(len(cells), dtype=object)
    values[:] = [missing if cell == absent else cell for cell in cells]
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
    if not text or text == NA:
        return None
    if PADDED.match(text):
        return cell
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
    return "a number" if isinstance(cell, str) and cell.strip() == NA else "a finite number"
