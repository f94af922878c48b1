"""What is inside a fitted estimator: members of an ensemble, steps of a pipeline, the best of a search."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

PACKAGES = ("sklearn", "xgboost", "lightgbm")
"""Packages whose objects are looked into; others only when they are estimators."""
PLAIN = (str, bytes, int, float, np.generic, np.ndarray)


def is_of(package: str, estimator: Any) -> bool:
    """Whether an estimator's class, or one that it is derived from, is of a package."""
    return any(base.__module__.partition(".")[0] == package for base in type(estimator).__mro__)


def has_own_methods(estimator: Any) -> bool:
    """Whether somebody has put a method onto the object, in place of its class's."""
    return any(
        callable(value) and hasattr(type(estimator), name) for name, value in getattr(estimator, "__dict__", {}).items()
    )


def parts(estimator: Any) -> Iterator[Any]:
    """Go through an estimator and all that are inside it, each once."""
    waiting, seen = [estimator], {id(estimator)}
    while waiting:
        part = waiting.pop()
        if not isinstance(part, list | tuple | dict):
            yield part
        for value in _held(part):
            if not isinstance(value, PLAIN) and id(value) not in seen and _may_hold(value):
                seen.add(id(value))
                waiting.append(value)


def _held(part: Any) -> Iterable[Any]:
    if isinstance(part, list | tuple):
        return part
    return part.values() if isinstance(part, dict) else getattr(part, "__dict__", {}).values()


def _may_hold(value: Any) -> bool:
    if isinstance(value, type) or value is None:
        return False
    return (
        isinstance(value, list | tuple | dict) or hasattr(value, "fit") or any(is_of(name, value) for name in PACKAGES)
    )
