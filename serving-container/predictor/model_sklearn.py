"""scikit-learn estimators, and what behaves like them, from pickle, joblib and skops files."""

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import numpy.typing as npt
import sklearn
from scipy.sparse import csr_matrix
from sklearn.exceptions import InconsistentVersionWarning

from predictor import features, model_categories, model_checks
from predictor.errors import BadInputError, ModelLoadError, PredictionError
from predictor.model_categories import Categories
from predictor.model_finite import bounded, stays_finite
from predictor.model_forest import direct
from predictor.rows import Rows, Signature, one_a_row
from predictor.table import Table, to_rows

NAMES_WARNING = "X does not have valid feature names"
TRUSTED = "SERVING_TRUSTED_TYPES"


class Estimator:
    """A fitted estimator; called by one thread at a time."""

    def __init__(self, estimator: Any, signature: Signature, categories: Categories | None = None) -> None:
        self.signature = signature
        self.estimator = estimator
        self._asked = direct(estimator)
        self._categories = categories
        self._documents = features.takes_documents(estimator)
        self._stays_finite = signature.numeric and stays_finite(estimator)

    def predict(self, rows: Rows, method: str) -> npt.NDArray[Any]:
        """See `predictor.model.Model`."""
        given = self._input(rows)
        finite = self._stays_finite and bounded(given)
        try:
            with sklearn.config_context(assume_finite=finite, skip_parameter_validation=True):
                predictions = getattr(self._asked, method)(given)
        except ValueError as error:
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

    def warm_up(self) -> None:
        """See `predictor.model.Model`."""
        if self.signature.features is None:
            return
        try:
            self.predict(_neutral(self.signature), self.signature.methods[0])
        except BadInputError:  # the model looked at the row, and rows of ones are not for every model
            pass
        except PredictionError as error:
            raise ModelLoadError(f"The model loads, but cannot predict: {_first_line(error.__cause__)}") from error

    def offering(self, **less: Any) -> "Estimator":
        """The same model, offering less: fewer methods, or no missing values."""
        return Estimator(self.estimator, replace(self.signature, **less), self._categories)

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
    methods = model_checks.check(estimator, path)
    # Rows come in the model's order, which is all that names are for.
    warnings.filterwarnings("ignore", NAMES_WARNING, UserWarning)
    categories = model_categories.read(estimator)
    signature = model_checks.limited(_signature(estimator, methods), estimator)
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
    documents = features.takes_documents(estimator)
    known = features.is_known(estimator)
    trained = tuple(map(str, getattr(estimator, "feature_names_in_", ())))
    ignored = features.dropped_columns(estimator)
    names = tuple(name for name in trained if name not in ignored)
    width = 1 if documents else getattr(estimator, "n_features_in_", None)
    signature = Signature(
        features=len(names) or width,
        names=names,
        ignored=ignored,
        methods=methods,
        text=frozenset({0}) if documents else _text(estimator, width, trained, names),
        frame=bool(names) and features.needs_names(estimator),
        independent=known,
    )
    return _probed(estimator, signature)


def _text(estimator: Any, width: int | None, trained: tuple[str, ...], names: tuple[str, ...]) -> frozenset[int] | None:
    """Positions among the columns in use of the features that need not be numbers."""
    if width is None:
        return frozenset() if features.is_known(estimator) else None
    found = features.text_features(estimator, width)
    if not found or names == trained:
        return found
    return frozenset(names.index(trained[position]) for position in found if trained[position] in names)


def _probed(estimator: Any, signature: Signature) -> Signature:
    """Find out by trying whether a model of numbers takes missing ones and sparse rows: its tags do not tell."""
    if signature.frame or signature.text is None:
        return replace(signature, missing=True)  # the model judges each column itself
    if not signature.numeric or signature.features is None:
        return signature
    ask = getattr(estimator, signature.methods[0])
    row = _neutral(signature)
    return replace(signature, missing=_works(ask, row * np.nan), sparse=_works(ask, csr_matrix(row)))


def _works(ask: Callable[[Any], Any], rows: Any) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ask(rows)
        except Exception:  # noqa: BLE001  # whatever a model raises, it does not take such rows
            return False
    return True


def _neutral(signature: Signature) -> Rows:
    """One row to try a model with: ones, for there are models that refuse zero."""
    if signature.numeric:
        return np.ones((1, signature.features or 1))
    cells: list[Any] = [
        "" if signature.text is None or index in signature.text else 1.0 for index in range(signature.features or 1)
    ]
    return to_rows(Table([cells]), signature)


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
