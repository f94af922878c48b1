"""scikit-learn estimators: what they take, what they answer, and what becomes of their errors."""

import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC

from predictor.errors import BadInputError, PredictionError
from predictor.formats.registry import decode
from predictor.inputs.rows import Columns
from predictor.inputs.schema import Container
from predictor.models.estimator import Estimator, load_pickle, wrap

IRIS = load_iris()
FLATS = pd.DataFrame(
    {
        "city": ["Bern", "Köln", "Bern", "Rom"] * 5,
        "size": [50.0, 80.0, np.nan, 120.0] * 5,
        "rooms": [2, 3, 3, 4] * 5,
        "id": [f"x{index}" for index in range(20)],
    }
)
DEAR = np.array(["no", "no", "yes", "yes"] * 5)


def model(estimator: Any) -> Estimator:
    return wrap(estimator, Path("model.pkl"))


def iris(estimator: Any) -> Estimator:
    return model(estimator.fit(IRIS.data, IRIS.target))


def flats(selector: Any = ("city",)) -> Estimator:
    columns = ColumnTransformer(
        [
            ("text", OneHotEncoder(), list(selector) if isinstance(selector, tuple) else selector),
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["size"]),
            ("as they are", "passthrough", ["rooms"]),
        ]
    )
    return model(make_pipeline(columns, LogisticRegression()).fit(FLATS, DEAR))


def answers(subject: Estimator, body: bytes, content_type: str = "application/json") -> Any:
    request = decode(body, content_type, subject.schema)
    return subject.predict(request.rows, request.method).tolist()


@pytest.mark.parametrize(
    ("estimator", "methods"),
    [
        (LogisticRegression(max_iter=1000), ("predict", "predict_proba", "decision_function")),
        (SVC(), ("predict", "decision_function")),
        (RandomForestClassifier(2), ("predict", "predict_proba")),
        (KMeans(2), ("predict", "transform")),
        (PCA(), ("transform",)),
    ],
)
def test_methods_are_those_that_the_estimator_has(estimator: Any, methods: tuple[str, ...]) -> None:
    assert iris(estimator).schema.methods == methods


@pytest.mark.parametrize(
    ("estimator", "missing", "sparse_rows"),
    [
        (LogisticRegression(max_iter=1000), False, True),
        (make_pipeline(StandardScaler(), LogisticRegression()), False, False),
        (make_pipeline(SimpleImputer(), LogisticRegression(max_iter=1000)), True, True),
        (HistGradientBoostingClassifier(max_iter=2), True, False),
        (KNeighborsClassifier(algorithm="kd_tree"), False, True),
    ],
)
def test_what_else_a_model_of_numbers_takes_is_found_out(estimator: Any, missing: bool, sparse_rows: bool) -> None:  # noqa: FBT001  # pytest's parameter
    schema = iris(estimator).schema

    assert (schema.width, schema.numeric, schema.required == (), schema.sparse) == (4, True, missing, sparse_rows)


def test_predicting_leaves_no_trace_in_what_is_found_out_next() -> None:
    first = iris(LogisticRegression(max_iter=1000))
    first.predict(IRIS.data, "predict")

    assert iris(LogisticRegression(max_iter=1000)).schema.required == (0, 1, 2, 3)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
def test_answers_are_the_estimators_own(method: str) -> None:
    estimator = LogisticRegression(max_iter=1000).fit(IRIS.data, IRIS.target_names[IRIS.target])

    np.testing.assert_array_equal(model(estimator).predict(IRIS.data, method), getattr(estimator, method)(IRIS.data))


def test_sparse_rows_are_answered_as_dense_ones() -> None:
    subject = iris(RandomForestClassifier(5, random_state=0))

    np.testing.assert_array_equal(
        subject.predict(sparse.csr_matrix(IRIS.data), "predict_proba"), subject.predict(IRIS.data, "predict_proba")
    )


def test_names_are_only_an_order_where_the_model_selects_nothing_by_name() -> None:
    frame = load_breast_cancer(as_frame=True)
    subject = model(RandomForestClassifier(5, random_state=0).fit(frame.data, frame.target))

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "X does not have valid feature names")
        found = subject.predict(frame.data.to_numpy(), "predict_proba")

    assert subject.schema.names == tuple(frame.data.columns)
    assert subject.schema.container is Container.ARRAY
    np.testing.assert_array_equal(found, subject.estimator.predict_proba(frame.data))


def test_no_warning_is_given_for_each_prediction(tmp_path: Path) -> None:
    frame = load_breast_cancer(as_frame=True)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(RandomForestClassifier(5).fit(frame.data, frame.target)))
    subject = load_pickle(tmp_path / "model.pkl")

    subject.predict(frame.data.to_numpy(), "predict")  # a warning is an error in these tests


def test_the_signature_of_a_model_that_selects_columns() -> None:
    schema = flats().schema

    assert schema.names == ("city", "size", "rooms")
    assert schema.ignored == {"id"}
    assert (schema.text, schema.container, schema.independent) == ((0,), Container.FRAME, True)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'[{"rooms": 3, "size": 80, "city": "K\xc3\xb6ln"}]', "application/json"),
        (b'[{"id": "x", "rooms": 3, "size": 80, "city": "K\xc3\xb6ln"}]', "application/json"),
        (b'{"data": [["K\xc3\xb6ln", 80, 3]]}', "application/json"),
        (b'{"columns": ["size", "city", "rooms"], "data": [[80, "K\xc3\xb6ln", 3]]}', "application/json"),
        (b'{"size": 80, "city": "K\xc3\xb6ln", "rooms": 3}\n', "application/jsonlines"),
        ("rooms,city,size\n3,Köln,80\n".encode(), "text/csv"),
        ("id,rooms,city,size\n7,3,Köln,80\n".encode(), "text/csv"),
        ("Köln,80,3\n".encode(), "text/csv"),
    ],
)
def test_named_columns_of_text_and_numbers_in_any_order(body: bytes, content_type: str) -> None:
    subject = flats()
    expected = subject.estimator.predict(pd.DataFrame({"city": ["Köln"], "size": [80.0], "rooms": [3], "id": ["y"]}))

    assert answers(subject, body, content_type) == expected.tolist()


def test_a_missing_number_is_imputed() -> None:
    subject = flats()
    expected = subject.estimator.predict_proba(
        pd.DataFrame({"city": ["Rom"], "size": [None], "rooms": [3], "id": [""]}, dtype=object)
    )

    found = answers(subject, b'{"data": [["Rom", null, 3]], "method": "predict_proba"}')

    assert found == answers(subject, b"Rom,,3\n", "text/csv; method=predict_proba") == expected.tolist()


def test_text_where_a_model_of_columns_takes_a_number() -> None:
    with pytest.raises(BadInputError, match='expected a number, got "big" at /0/size'):
        answers(flats(), b'[{"city": "Rom", "size": "big", "rooms": 3}]')


def test_a_category_that_the_model_does_not_know_is_the_callers_fault() -> None:
    with pytest.raises(BadInputError) as refused:
        answers(flats(), b'{"data": [["Rom", 80, 3], ["Paris", 80, 3]]}')

    assert refused.value.detail == (
        'A cell is not what the model takes: expected one of "Bern", "Köln", "Rom", '
        'got "Paris" in row 1, column "city".'
    )


def test_a_missing_value_that_the_model_does_not_take_is_the_callers_fault() -> None:
    with pytest.raises(BadInputError, match="expected a number, got null at /data/0/2"):
        answers(flats(), b'{"data": [["Rom", 80, null]]}')


def test_columns_selected_by_their_type() -> None:
    assert flats(make_column_selector(pattern="city")).schema.text == (0,)


def test_categories_that_are_numbers_are_numbers() -> None:
    subject = model(make_pipeline(OneHotEncoder(), LogisticRegression()).fit([[1], [2]] * 4, [0, 1] * 4))

    assert subject.schema.numeric
    assert answers(subject, b"1\n2\n", "text/csv") == [0, 1]


def test_documents() -> None:
    texts = ["good film", "bad film", "good book", "bad book"]
    subject = model(make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, [1, 0, 1, 0]))
    subject.warm_up()

    assert (subject.schema.width, subject.schema.container) == (1, Container.TEXTS)
    assert answers(subject, b'{"data": [["a good one"], ["a bad one"]]}') == [1, 0]
    assert answers(subject, b'{"instances": ["a good one", "a bad one"]}') == [1, 0]


def first_column(rows: Any) -> Any:
    return rows[:, :1]


class Own(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Somebody's own classifier."""

    def fit(self, rows: Any, targets: Any) -> "Own":
        self.classes_ = np.unique(targets)
        self.n_features_in_ = np.shape(rows)[1]
        return self

    def predict(self, rows: Any) -> Any:
        return np.array([str(type(cell).__name__) for cell in np.asarray(rows)[:, 0]])


@pytest.mark.parametrize("estimator", [Own(), make_pipeline(FunctionTransformer(first_column), LogisticRegression())])
def test_rows_of_foreign_code_are_predicted_request_by_request(estimator: Any) -> None:
    assert not iris(estimator).schema.independent


def test_a_foreign_model_gets_cells_as_they_are() -> None:
    subject = iris(Own())

    assert answers(subject, b'{"data": [["x", 1, 2, 3]]}') == ["str"]
    assert answers(subject, b'{"data": [[0, 1, 2, 3]]}') == ["int64"]
    assert answers(subject, b'{"data": [[0, 1, 2, 3.5]]}') == ["float64"]
    with pytest.raises(BadInputError, match="expected a string, number, boolean or null, got a list at /data/0/0"):
        answers(subject, b'{"data": [[[], 1, 2, 3]]}')


class Raises(Own):
    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def predict(self, _rows: Any) -> Any:
        raise self.error or ValueError


@pytest.mark.parametrize("error", [RuntimeError("secret"), OSError("secret"), MemoryError()])
def test_other_errors_are_the_models_and_say_nothing_of_it(error: Exception) -> None:
    with pytest.raises(PredictionError) as failed:
        iris(Raises(error)).predict(IRIS.data, "predict")

    assert "secret" not in failed.value.detail
    assert failed.value.__cause__ is error


@pytest.mark.parametrize("rows", [np.array([["a"]], dtype=object), Columns((np.array(["a"], dtype=object),))])
def test_cells_of_a_type_that_the_model_does_not_take_are_the_callers_fault(rows: Any) -> None:
    subject = model(
        make_pipeline(FunctionTransformer(np.log), LogisticRegression()).fit([[1.0], [2.0]] * 4, [0, 1] * 4)
    )

    with pytest.raises(BadInputError, match=r"The model refuses the rows: .*ufunc"):
        subject.predict(rows, "predict")


def test_only_the_first_line_of_a_refusal_is_told() -> None:
    with pytest.raises(BadInputError) as refused:
        iris(Raises(ValueError("no\n" + "x" * 1000))).predict(IRIS.data, "predict")

    assert refused.value.detail.startswith("The model refuses the rows: no. The model takes rows such as ")


@pytest.mark.parametrize("estimator", [LogisticRegression(max_iter=1000), RandomForestClassifier(3), PCA(2)])
def test_a_batch_is_answered_as_its_rows_alone(estimator: Any) -> None:
    subject = iris(estimator)
    method = subject.schema.methods[-1]

    alone = np.concatenate([subject.predict(row[None], method) for row in IRIS.data])

    np.testing.assert_allclose(subject.predict(IRIS.data, method), alone, rtol=1e-12, atol=1e-14)
