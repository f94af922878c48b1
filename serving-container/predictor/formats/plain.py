"""Predictions as plain values, for what no writer knows by itself: dates, decimals, bytes, pandas' missing values.

null        None, pandas.NA, NaT; a NaN or an infinity is one in JSON only
string      text, bytes that are UTF-8, dates and times as ISO 8601, timedeltas as ISO 8601 durations, UUIDs,
pandas' periods and intervals
number      int, float, Decimal, NumPy's
list        list, tuple, array, Series; an object is a dict, its keys as text
"""

import datetime as dt
import math
import uuid
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import Any

import numpy as np

from predictor.errors import PredictionError


def plain(value: Any) -> Any:
    """Make None, bool, int, float, str, list and dict of a value; raises PredictionError for what is none of them."""
    kind = type(value)
    if value is None or kind in {str, int, float, bool}:
        return value
    if isinstance(value, Mapping):
        return {_key(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple) or _are_times(value):
        return [plain(inner) for inner in value]
    if isinstance(value, np.datetime64 | np.timedelta64):
        return _time(value)
    if hasattr(value, "tolist"):  # arrays, NumPy's scalars, Series
        inner = value.tolist()
        return plain(inner) if isinstance(inner, list) or type(inner) is not kind else _other(value)
    return _other(value)


def finite(value: Any) -> Any:
    """Make what `plain` gave such as JSON has it: NaN and infinities become None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [finite(inner) for inner in value]
    if isinstance(value, dict):
        return {key: finite(inner) for key, inner in value.items()}
    return value


def _key(key: Any) -> str:
    key = plain(key)
    if isinstance(key, str):
        return key
    return "null" if key is None else str(key).lower() if isinstance(key, bool) else str(key)


def _other(value: Any) -> Any:  # noqa: C901, PLR0911  # one line a kind
    match value:
        case str():
            return str(value)
        case bytes() | bytearray() | memoryview():
            return _text(bytes(value))
        case Decimal():
            return float(value)
        case Enum():
            return plain(value.value)
        case uuid.UUID():
            return str(value)
        case dt.timedelta():
            return None if _is_missing(value) else _duration(value.total_seconds())
        case dt.date() | dt.time():
            return None if _is_missing(value) else value.isoformat()
        case np.floating():
            return float(value)
    if _is_pandas(value):  # periods and intervals have a text of their own
        return None if _is_missing(value) else str(value)
    raise PredictionError(f"A prediction holds a value of type {type(value).__name__}, which no answer can hold.")


def _time(value: "np.datetime64 | np.timedelta64") -> str | None:
    """Write NumPy's times as pandas does: digits of a second as many as there are."""
    if np.isnat(value):
        return None
    if isinstance(value, np.timedelta64):
        return _duration(float(value / np.timedelta64(1, "s")))
    text = str(value)
    whole, point, digits = text.partition(".")
    return f"{whole}.{digits.rstrip('0')}" if point and digits.strip("0") else whole


def _are_times(value: Any) -> bool:
    """Whether this is an array of times: its own list would hold numbers of nanoseconds."""
    return isinstance(value, np.ndarray) and value.dtype.kind in "Mm" and value.ndim > 0


def _duration(seconds: float) -> str:
    return f"PT{seconds:.9f}".rstrip("0").rstrip(".") + "S"


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise PredictionError("A prediction holds bytes that are not UTF-8, which no answer can hold.") from None


def _is_missing(value: Any) -> bool:
    """Whether a value is pandas.NA or NaT, which compare to nothing; pandas need not be loaded."""
    return type(value).__name__ in {"NAType", "NaTType"} and _is_pandas(value)


def _is_pandas(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] == "pandas"
