"""One table of cases for both halves: what the container makes of it. tests/invoker has the function's half."""

import json

import joblib
import pandas as pd
import pytest
import requests
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from tests.contract.conftest import Connect, Wire
from tests.refusals import NOT_JSON, REFUSALS, SCHEMA, TAKEN


@pytest.fixture(scope="module")
def credit(connect: Connect, tmp_path_factory: pytest.TempPathFactory) -> Wire:
    frame = pd.DataFrame({"age": [20.0, 30, 40, 50], "income": [1.0, None, 3, 4], "plan": ["basic", "pro"] * 2})
    columns = [
        ("age", StandardScaler(), ["age"]),
        ("income", SimpleImputer(), ["income"]),
        ("plan", OneHotEncoder(), ["plan"]),
    ]
    model = make_pipeline(ColumnTransformer(columns), LogisticRegression()).fit(frame, ["no", "yes"] * 2)
    folder = tmp_path_factory.mktemp("credit")
    joblib.dump(model, folder / "model.joblib")
    (folder / "schema.json").write_text(json.dumps(SCHEMA))
    return connect(folder)


def post(wire: Wire, body: bytes, content_type: str = "application/json") -> requests.Response:
    url = f"http://{wire.container.address}/invocations"
    return requests.post(url, data=body, headers={"Content-Type": content_type}, timeout=30)


# Of the others the container says the same facts in a sentence of its own.
SAME_SENTENCE = (
    "pandas' default",
    "lists by column",
    "pandas' default under data",
    "JSON in a string",
    "a name in capitals",
    "MLflow's inputs",
    "a name twice",
)


@pytest.mark.parametrize("name", TAKEN)
def test_every_form_of_a_table_is_taken(credit: Wire, name: str) -> None:
    response = post(credit, TAKEN[name])

    assert (response.status_code, response.json()) == (200, {"predictions": ["no"]})


@pytest.mark.parametrize("name", REFUSALS)
def test_both_halves_refuse_with_one_status(credit: Wire, name: str) -> None:
    assert post(credit, REFUSALS[name].body, REFUSALS[name].content_type).status_code == 400


@pytest.mark.parametrize("name", SAME_SENTENCE)
def test_the_sentence_that_both_halves_say(credit: Wire, name: str) -> None:
    expected = REFUSALS[name]

    answer = post(credit, expected.body, expected.content_type).json()

    assert (answer["status"], answer["detail"]) == (400, expected.told)
    if expected.pointer is not None:
        assert answer["errors"][0] == {"pointer": expected.pointer, "detail": expected.detail}


@pytest.mark.parametrize("name", NOT_JSON)
def test_what_is_no_json_is_told_what_it_looks_like(credit: Wire, name: str) -> None:
    body, hint = NOT_JSON[name]

    answer = post(credit, body).json()

    assert answer["status"] == 400
    assert answer["detail"].startswith("The body is not JSON: ")
    assert answer["detail"].endswith(hint)
