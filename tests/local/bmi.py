"""A step of a user's own, copied into a model's code/: it takes a column by its name, and does not say which."""

from typing import Any

from sklearn.base import BaseEstimator, TransformerMixin


class Bmi(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """Uses one column of a DataFrame."""

    def fit(self, _: Any, __: Any = None) -> "Bmi":
        return self

    def transform(self, table: Any) -> Any:
        return table[["bmi"]].to_numpy()
