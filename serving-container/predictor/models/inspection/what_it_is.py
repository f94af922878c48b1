"""What a file holds that cannot predict, in a sentence that says what to do."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from predictor.inputs.schema import METHODS

SHOWN = 5
"""Keys that are listed of what a file holds."""
DATA = ("DataFrame", "Series", "ndarray", "csr_matrix", "csc_matrix", "csr_array", "Dataset", "DMatrix", "Tensor")
TREATS_ITS_OWN = ("fit_predict", "kneighbors", "fit_transform", "labels_")
"""What estimators have that answer for the rows they were fitted with only, or in another way than by predicting."""


def said(held: Any, path: Path) -> str:
    """Say what it is and what to do, without the name of the file."""
    kind = type(held).__name__
    own = f"write {path.parent / 'code' / 'inference.py'} with predict_fn(data, model)"
    if isinstance(held, type):
        return f"the class {held.__name__} and no fitted model: save what {held.__name__}(...).fit(...) returns."
    if found := list(_models(held)):
        return _among(held, found, own)
    if isinstance(held, Mapping):
        keys = ", ".join(repr(key) for key in list(held)[:SHOWN])
        return f"a {kind} with the keys {keys or 'none'} and no fitted model in it: save the fitted model, or {own}."
    if kind in DATA:
        return f"a {kind}, which is data and no model: save the fitted model."
    return _estimator(held, kind, own)


def _estimator(held: Any, kind: str, own: str) -> str:
    """Say why something that may be an estimator cannot predict."""
    if kind == "GridSearchCV" or hasattr(held, "best_estimator_") or getattr(held, "refit", True) is False:
        return f"a {kind} that was fitted with refit=False and so has no model: fit it with refit=True."
    if getattr(held, "novelty", True) is False:
        return f"a {kind}, which has no predict with novelty=False: fit it with novelty=True, or {own}."
    if any(hasattr(type(held), name) or hasattr(held, name) for name in TREATS_ITS_OWN):
        other = next((name for name in ("kneighbors", "fit_predict") if hasattr(held, name)), "")
        only = f" (it has {other})" if other else ""
        return f"a {kind}, which has no predict for new rows{only}: {own}, which gives what it answers."
    if callable(held):
        return f"a {kind} that can be called and has no predict: {own}, which calls it."
    return f"a {kind}, which has none of {', '.join(METHODS)}: save the fitted model, or {own}."


def _models(held: Any) -> Iterator[tuple[Any, Any]]:
    """What could predict in a dict, list or tuple, with its key or position."""
    if not isinstance(held, Mapping | list | tuple):
        return
    for key, value in held.items() if isinstance(held, Mapping) else enumerate(held):
        if not isinstance(value, type) and any(callable(getattr(value, name, None)) for name in METHODS[:2]):
            yield key, value


def _among(held: Any, found: list[tuple[Any, Any]], own: str) -> str:
    kind, keys = type(held).__name__, [repr(key) for key, _ in found]
    if len(found) == 1:
        name = type(found[0][1]).__name__
        return (
            f"a {kind} with a {name} at [{keys[0]}]: save that alone, as joblib.dump(held[{keys[0]}], "
            f'"model.joblib"), or {own}, where model is the {kind}.'
        )
    listed = ", ".join(f"[{key}]" for key in keys[:SHOWN])
    return (
        f"a {kind} with {len(found)} models, at {listed}: save the one to serve, or {own}, where model is the {kind}."
    )
