"""A batch through real models: each task's answer is what it would be alone."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from predictor.ipc import Request, Response
from predictor.models.estimator import wrap
from predictor.worker.batch import respond
from tests.serving.schemas import a_schema

JSON = "application/json"


def task(rows: object, method: str = "predict", content_type: str = JSON, accept: str | None = None) -> Request:
    return Request(json.dumps({"data": rows, "method": method}).encode(), content_type, accept, "id")


def iris(estimator: Any) -> Any:
    data = load_iris()
    return wrap(estimator.fit(data.data, data.target), Path("model.pkl"))


class Doubles:
    """Predicts twice the first cell, and counts how often it is asked."""

    schema = a_schema(1)

    def __init__(self) -> None:
        self.calls: list[int] = []

    def predict(self, rows: Any, _method: str) -> npt.NDArray[Any]:
        self.calls.append(len(rows))
        if (rows == 13).any():
            raise ZeroDivisionError("secret")
        return np.asarray(rows)[:, 0] * 2

    def warm_up(self) -> bool:
        return True


class Miscounts(Doubles):
    def predict(self, rows: Any, _method: str) -> npt.NDArray[Any]:
        return np.zeros(len(rows) + 1)


@pytest.mark.parametrize(
    ("estimator", "bound"),
    [
        # a matrix product adds up in another order when there are more rows, so that the last bits differ
        (LinearRegression(), 1e-12),
        (make_pipeline(StandardScaler(), LogisticRegression()), 1e-12),
        (RandomForestClassifier(n_estimators=20, random_state=0), 0),
        (HistGradientBoostingClassifier(random_state=0), 0),
        (make_pipeline(StandardScaler(), SVC(random_state=0)), 0),
    ],
    ids=["linear", "logistic", "forest", "boosting", "svc"],
)
def test_a_batched_answer_equals_the_answer_alone(estimator: Any, bound: float) -> None:
    model = iris(estimator)
    rows = load_iris().data
    methods = [name for name in ("predict", "predict_proba", "decision_function") if name in model.schema.methods]
    tasks = [task(rows[start : start + 1 + start % 4].tolist(), method) for start in range(40) for method in methods]

    batched = [json.loads(answer.body)["predictions"] for answer in respond(model, tasks)]
    alone = [json.loads(respond(model, [single])[0].body)["predictions"] for single in tasks]

    for one, other in zip(batched, alone, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=bound)


def test_tasks_that_fit_together_are_one_prediction() -> None:
    model = Doubles()

    answers = respond(model, [task([[1], [2]]), task([[3]]), task([[4]])])

    assert [json.loads(answer.body)["predictions"] for answer in answers] == [[2, 4], [6], [8]]
    assert [answer.rows for answer in answers] == [2, 1, 1]
    assert model.calls == [4]


def test_a_bad_task_fails_alone_and_costs_no_prediction() -> None:
    model = Doubles()

    answers = respond(model, [task([[1]]), task([["x"]]), task([[2]], accept="image/png"), task([[3]])])

    assert [answer.status for answer in answers] == [200, 400, 406, 200]
    assert model.calls == [2]


def test_a_task_on_which_the_model_fails_fails_alone(caplog: pytest.LogCaptureFixture) -> None:
    model = Doubles()

    answers = respond(model, [task([[1]]), task([[13]]), task([[3]])])

    assert [answer.status for answer in answers] == [200, 500, 200]
    assert model.calls == [3, 1, 1, 1]
    assert json.loads(answers[1].body) == {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "detail": "The model failed on this request; the server's log says why.",
        "request_id": "id",
    }
    assert "ZeroDivisionError: secret" in caplog.text


def test_a_wrong_number_of_predictions_reaches_nobody() -> None:
    (answer,) = respond(Miscounts(), [task([[1], [2]])])

    assert json.loads(answer.body)["detail"] == "The model gave 3 predictions for 2 rows."


def test_an_empty_batch_has_no_answers() -> None:
    assert respond(Doubles(), []) == list[Response]()


@pytest.mark.parametrize("rows", [1, 2, 3, 8])
@pytest.mark.parametrize("end", ["", "\n"])
def test_a_body_that_asks_for_it_is_answered_without_its_bad_lines(rows: int, end: str) -> None:
    """As batch transform needs it: one line a row, in order; 13 fails in the model, text is refused."""
    cells = ["1", "x", "3", "13", "4", "5", "6", "x"][:rows]
    body = ("\n".join(cells) + end).encode()
    types = ("text/csv; header=absent; on-error=skip", "application/jsonlines; on-error=skip")
    csv = Request(body, types[0], "application/jsonlines", "id")
    lines = Request(b"\n".join(b"[%s]" % json.dumps(cell).encode() for cell in cells), types[1], csv.accept, "id")

    answers = respond(Doubles(), [csv, lines])

    for answer in answers:
        assert (answer.status, answer.content_type, answer.rows) == (200, "application/jsonlines", rows)
        assert len(answer.body.splitlines()) == rows
    got = [json.loads(line) for line in answers[0].body.splitlines()]
    good = [{"prediction": 2 * float(cell)} if cell not in {"x", "13"} else None for cell in cells]
    assert [None if "error" in line else line for line in got] == good


def test_nothing_else_is_answered_in_part() -> None:
    plain = Request(b"1\nx\n", "text/csv; header=absent", "application/jsonlines", "id")
    other = Request(b"1\nx\n", "text/csv; header=absent; on-error=skip", "text/csv", "id")

    assert [answer.status for answer in respond(Doubles(), [plain, other])] == [400, 400]


def test_a_failure_is_logged_once_for_a_request(caplog: pytest.LogCaptureFixture) -> None:
    many = Request(b"13\n" * 64, "text/csv; header=absent; on-error=skip", "application/jsonlines", "one")

    (answer,) = respond(Doubles(), [many])
    respond(Doubles(), [task([[13]]), task([[1]])])

    assert answer.body.count(b"error") == 64
    assert [record.fields["request_id"] for record in caplog.records] == ["one", "id"]  # type: ignore[attr-defined]  # logging's `extra`
