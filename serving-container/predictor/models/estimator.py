"""scikit-learn estimators, and what behaves like them, from pickle, joblib and skops files."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import numpy.typing as npt
import sklearn
from scipy.sparse import csr_matrix
from sklearn.exceptions import InconsistentVersionWarning

from predictor.errors import BadInputError, ModelLoadError, PredictionError, PredictorError
from predictor.inputs.rows import Rows, Signature, one_a_row
from predictor.inputs.validation import Table, to_rows
from predictor.models.inspection import checks, estimators, feature_types, pandas_categories
from predictor.models.inspection.feature_types import Kinds
from predictor.models.inspection.pandas_categories import Categories
from predictor.models.shortcuts import forest, linear
from predictor.models.shortcuts.assume_finite import bounded, stays_finite

NAMES_WARNING = "X does not have valid feature names"
TRUSTED = "SERVING_TRUSTED_TYPES"
MAX_TRIES = 128
"""Predictions that it may take, while a model is loaded, to find out which of its columns may be missing."""


class Estimator:
    """A fitted estimator; called by one thread at a time."""

    def __init__(
        self, estimator: Any, signature: Signature, categories: Categories | None = None, *, direct: bool = True
    ) -> None:
        self.signature = signature
        self.estimator = estimator
        self._asked = forest.direct(estimator) if direct else estimator
        self._categories = categories
        self._documents = estimators.takes_documents(estimator)
        self._stays_finite = direct and signature.numeric and stays_finite(estimator)
        self._linear = linear.direct(estimator) if self._stays_finite else {}
        found = feature_types.read(estimator) or Kinds()
        self._known = [known for known in found.known(signature.names) if known.index in found.closed]

    def predict(self, rows: Rows, method: str) -> npt.NDArray[Any]:
        """See `predictor.models.base.Model`."""
        given = self._input(rows)
        finite = self._stays_finite and bounded(given)
        try:
            predictions = self._ask(given, method, finite=finite)
        except ValueError as error:
            self._find_unknown(rows)
            raise BadInputError(f"The model refuses the rows: {_first_line(error)}") from error
        except TypeError as error:
            if _are_numbers(rows):  # then it is not for their type
                raise PredictionError("The model failed on these rows.") from error
            raise BadInputError(f"The model refuses the rows: {_first_line(error)}") from error
        except MemoryError as error:
            raise PredictionError(f"There is not enough memory to predict {rows.shape[0]} rows: send fewer.") from error
        except Exception as error:
            raise PredictionError("The model failed on these rows.") from error
        return one_a_row(predictions, rows.shape[0])

    def _find_unknown(self, rows: Any) -> None:
        """Raise BadInputError that says where it is what an encoder has not seen: scikit-learn counts other columns."""
        for known in () if hasattr(rows, "toarray") else self._known:
            known.admit(np.asarray(rows, dtype=object))

    def _ask(self, given: Any, method: str, *, finite: bool) -> Any:
        if finite and method in self._linear:
            return self._linear[method](given)
        with sklearn.config_context(assume_finite=finite, skip_parameter_validation=True):
            return getattr(self._asked, method)(given)

    def warm_up(self) -> bool:
        """See `predictor.models.base.Model`."""
        if self.signature.features is None:
            return False
        try:
            self.predict(self._trial, self.signature.methods[0])
        except PredictorError:  # a row of ones is not for every model
            return False
        return True

    def probe(self) -> Signature:
        """See `predictor.models.base.Model`."""
        if self.signature.missing:  # then all is known
            return self.signature
        return checks.limited(_probed(self.estimator, self.signature), self.estimator)

    @cached_property
    def _trial(self) -> Rows:
        """Made once: how long a call takes is measured with it."""
        return _neutral(self.estimator, self.signature)

    def offering(self, **less: Any) -> "Estimator":
        """The same model, offering less: fewer methods, or no missing values."""
        return Estimator(self.estimator, replace(self.signature, **less), self._categories)

    def as_saved(self) -> "Estimator":
        """The same model, answered by its own methods alone: what any quicker way has to be compared with."""
        return Estimator(self.estimator, self.signature, self._categories, direct=False)

    def _input(self, rows: Any) -> Any:
        if self._categories:
            return self._categories.numbers(rows)
        if self._documents:
            return rows[:, 0]
        if self.signature.frame and isinstance(rows, np.ndarray) and self.signature.names:
            import pandas as pd  # noqa: PLC0415  # a worker with an ONNX model never needs it

            return pd.DataFrame(rows, columns=list(self.signature.names))
        return rows


def wrap(estimator: Any, path: Path) -> Estimator:
    """Read the signature of what was loaded; raises ModelLoadError when it is no model."""
    methods = checks.check(estimator, path)
    # Rows come in the model's order, which is all that names are for.
    warnings.filterwarnings("ignore", NAMES_WARNING, UserWarning)
    categories = pandas_categories.read(estimator)
    signature = checks.limited(_signature(estimator, methods), estimator)
    if categories:
        signature = replace(signature, text=categories.text, missing=True, sparse=False)
    return Estimator(estimator, signature, categories)


def load_pickle(path: Path) -> Estimator:
    """Load what pickle or joblib wrote, compressed or not; both run code of the file, which its owner trusts."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", InconsistentVersionWarning)
        estimator = joblib.load(path)
    return wrap(estimator, path)


def _signature(estimator: Any, methods: tuple[str, ...]) -> Signature:
    found = feature_types.read(estimator)
    trained = estimators.names(estimator)
    ignored = estimators.dropped_columns(estimator)
    names = tuple(name for name in trained if name not in ignored)
    width = 1 if estimators.takes_documents(estimator) else getattr(estimator, "n_features_in_", None)
    known: dict[str, Any] = found.signature(names) if found else {"text": None}
    if known.get("unknown") == frozenset(range(len(names) or width or 0)) != frozenset():
        known = {"text": None}
    return Signature(
        features=len(names) or width,
        names=names,
        ignored=ignored,
        trained=trained if ignored else (),
        methods=methods,
        frame=bool(names) and estimators.needs_names(estimator),
        independent=estimators.is_known(estimator),
        **known,
    )


def _probed(estimator: Any, signature: Signature) -> Signature:
    """Find out by trying which numbers may be missing, and whether sparse rows are taken: no tag tells."""
    if signature.text is None:
        return replace(signature, missing=True)  # the model judges each column itself
    if signature.features is None:
        return signature
    if not signature.numeric or signature.frame:
        return _probed_columns(Estimator(estimator, replace(signature, missing=True)))
    ask = getattr(estimator, signature.methods[0])
    row = _neutral(estimator, signature)
    return replace(signature, missing=_works(ask, row * np.nan), sparse=_works(ask, csr_matrix(row)))


def _probed_columns(model: Estimator) -> Signature:
    """Find out which columns may be missing of a model that treats them differently."""
    signature = model.signature

    tries = iter(range(MAX_TRIES))

    def works(absent: Sequence[int]) -> bool:
        if next(tries, None) is None:
            return True  # the model's own words then say what is missing, without the place

        def ask(cells: list[Any]) -> Any:
            holed = [None if index in absent else cell for index, cell in enumerate(cells)]
            return model.predict(to_rows(Table([holed]), signature), signature.methods[0])

        return _works(ask, _example(model.estimator, signature))

    known = sorted(set(range(signature.features or 0)) - signature.unknown - signature.required)
    if not works(()):
        return signature
    return replace(signature, required=signature.required | _refused(works, known))


def _refused(works: Callable[[Sequence[int]], bool], columns: Sequence[int]) -> frozenset[int]:
    """Which columns may not be missing: halves are tried as a whole, for most models take all or few of them."""
    if not columns or works(columns):
        return frozenset()
    half = len(columns) // 2
    return _refused(works, columns[:half]) | _refused(works, columns[half:]) if half else frozenset(columns)


def _works(ask: Callable[[Any], Any], rows: Any) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ask(rows)
        except Exception:  # noqa: BLE001  # whatever a model raises, it does not take such rows
            return False
    return True


def _neutral(estimator: Any, signature: Signature) -> Rows:
    """One row to try a model with."""
    example = _example(estimator, signature)
    return np.array([example], np.float64) if signature.numeric else to_rows(Table([example]), signature)


def _example(estimator: Any, signature: Signature) -> list[Any]:
    """Cells of one row: of what an encoder knows, the first, and else ones, for there are models that refuse zero."""
    found = feature_types.read(estimator) or Kinds()
    cells = [found.example(index) for index in range(signature.features or 1)]
    text = signature.text or frozenset()
    return ["" if index in text and not isinstance(cell, str) else cell for index, cell in enumerate(cells)]


def _are_numbers(rows: Any) -> bool:
    dtypes = rows.dtypes if hasattr(rows, "dtypes") else [rows.dtype]
    return all(dtype.kind in "fiub" for dtype in dtypes)


def _first_line(error: BaseException | None) -> str:
    return str(error).partition("\n")[0][:200]


def load_skops(path: Path, trusted: tuple[str, ...]) -> Estimator:
    """Load what skops wrote, which runs no code: a type that is neither known to be safe nor trusted is refused."""
    from skops.io import get_untrusted_types, load  # noqa: PLC0415  # only this format needs it

    strange = sorted(set(get_untrusted_types(file=path)) - set(trusted))
    if strange:
        names = ",".join(strange)
        raise ModelLoadError(
            f"{path} holds types that are not known to be safe: set {TRUSTED}={names} if you trust them."
        )
    with warnings.catch_warnings():
        warnings.simplefilter("error", InconsistentVersionWarning)
        estimator = load(path, trusted=list(trusted))
    return wrap(estimator, path)
