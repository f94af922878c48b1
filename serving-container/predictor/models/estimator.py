"""scikit-learn estimators, and what behaves like them, from pickle, joblib and skops files."""

import warnings
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import joblib
import numpy as np
import numpy.typing as npt
import sklearn
from sklearn.exceptions import InconsistentVersionWarning

from predictor.errors import BadInputError, ModelLoadError, PredictionError, PredictorError
from predictor.inputs.containers import contain
from predictor.inputs.readings import missing_cell, other_readings
from predictor.inputs.rows import Columns, Rows, one_a_row
from predictor.inputs.schema import Schema
from predictor.inputs.validation import Table, to_rows
from predictor.models.inspection import checks, pandas_categories
from predictor.models.inspection.describe import describe
from predictor.models.inspection.pandas_categories import Categories
from predictor.models.shortcuts import forest, lightgbm

NAMES_WARNING = "X does not have valid feature names"
TRUSTED = "SERVING_TRUSTED_TYPES"
ABOUT_INPUT = (ValueError, TypeError, LookupError)
"""What a model raises about rows that it does not take."""
SINGLE = "Buffer dtype mismatch"
"""How compiled code says that it was trained on numbers of another type: of 32 bits, for ours have 64."""
OWN_ERRORS = ("patsy", "formulaic", "_catboost", "xgboost", "lightgbm")
"""Packages that raise errors of their own about a missing column, a category or a cell."""


class Estimator:
    """A fitted estimator; called by one thread at a time."""

    def __init__(
        self, estimator: Any, schema: Schema, categories: Categories | None = None, *, direct: bool = True
    ) -> None:
        self.schema = schema
        self.estimator = estimator
        self._asked = lightgbm.direct(forest.direct(estimator)) if direct else estimator
        self._categories = categories
        self._number: type[np.float64 | np.float32] = np.float64

    def predict(self, rows: Rows, method: str) -> npt.NDArray[Any]:
        """See `predictor.models.base.Model`."""
        try:
            return self._predict(rows, method)
        except BadInputError as error:
            if SINGLE in error.detail and self._number is np.float64:
                self._number = np.float32
                return self.predict(rows, method)
            for reading in other_readings(rows, self.schema):
                try:
                    return self._predict(reading, method)
                except PredictorError:
                    continue
            raise error from error.__cause__

    def _predict(self, rows: Rows, method: str) -> npt.NDArray[Any]:
        given = self.given(rows)
        try:
            with sklearn.config_context(skip_parameter_validation=True):
                predictions = getattr(self._asked, method)(given)
        except MemoryError as error:
            raise PredictionError(f"There is not enough memory to predict {rows.shape[0]} rows: send fewer.") from error
        except Exception as error:  # noqa: BLE001  # a model may raise anything
            self._explain(error, rows)
        return one_a_row(predictions, rows.shape[0])

    def _explain(self, error: Exception, rows: Rows) -> NoReturn:
        """Raise BadInputError when the error is about the rows, and else PredictionError."""
        unknown = not (isinstance(rows, np.ndarray) and rows.dtype.kind == "f")
        about_input = (
            isinstance(error, ABOUT_INPUT)
            or (unknown and isinstance(error, AttributeError))
            or _package(error) in OWN_ERRORS
        )
        if not about_input or (isinstance(error, TypeError) and not unknown):  # numbers are not of a wrong type
            raise PredictionError("The model failed on these rows.") from error
        # statsmodels speaks of a DataFrame, and patsy, behind it, of the cell
        told = next((each for each in (error.__context__, error) if each and _package(each) in OWN_ERRORS), error)
        gap = missing_cell(rows)
        guilty = gap and not self.schema.feature(gap[1]).nullable
        place = f" Row {gap[0]}, column {self.schema.label(gap[1])} is missing." if gap and guilty else ""
        raise BadInputError(f"The model refuses the rows: {_first_line(told)}{place}{self._advice(rows)}") from error

    def _advice(self, rows: Rows) -> str:
        """What to send instead."""
        if self.schema.features:
            return f" The model takes rows such as {self.schema.example}."
        if isinstance(rows, Columns) and not rows.names:
            return " If the model selects its columns by name, send records, `columns`, or CSV with header=present."
        return ""

    def warm_up(self) -> bool:
        """See `predictor.models.base.Model`."""
        if self.schema.features is None:
            return False
        try:
            self.predict(self._trial, self.schema.methods[0])
        except PredictorError:  # a row of ones is not for every model
            return False
        return True

    @cached_property
    def _trial(self) -> Rows:
        """A made-up row; made once, for how long a call takes is measured with it."""
        cells = [feature.example for feature in self.schema.features or ()]
        if self.schema.numeric:
            return np.array([cells], np.float64)
        return to_rows(Table([cells]), self.schema)

    def offering(self, schema: Schema) -> "Estimator":
        """The same model, offering less: fewer methods, or no missing values."""
        return Estimator(self.estimator, schema, self._categories)

    def as_saved(self) -> "Estimator":
        """The same model, answered by its own methods alone: what any quicker way has to be compared with."""
        return Estimator(self.estimator, self.schema, self._categories, direct=False)

    def given(self, rows: Rows) -> Any:
        """Rows as the estimator takes them."""
        if self._number is np.float32 and isinstance(rows, np.ndarray):
            rows = rows.astype(np.float32)
        return self._categories.numbers(contain(rows, self.schema)) if self._categories else contain(rows, self.schema)


def wrap(estimator: Any, path: Path) -> Estimator:
    """Describe what was loaded; raises ModelLoadError when it is no model."""
    methods = checks.check(estimator, path)
    # Rows come in the model's order, which is all that names are for.
    warnings.filterwarnings("ignore", NAMES_WARNING, UserWarning)
    categories = pandas_categories.read(estimator)
    schema = describe(estimator, methods)
    return Estimator(estimator, categories.described(schema) if categories else schema, categories)


def load_pickle(path: Path) -> Estimator:
    """Load what pickle or joblib wrote, compressed or not; both run code of the file, which its owner trusts."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", InconsistentVersionWarning)
        estimator = joblib.load(path)
    return wrap(estimator, path)


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


def _package(error: BaseException) -> str:
    return type(error).__module__.partition(".")[0]


def _first_line(error: BaseException) -> str:
    line = str(error).partition("\n")[0][:200].rstrip(".")
    return f"{line or type(error).__name__}."
