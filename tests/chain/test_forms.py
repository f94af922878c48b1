"""Every form of a body, and every format of an answer, through every tier."""

import io

import numpy as np
import pytest
import requests

from tests.chain.conftest import Api, problem

RECORDS = b'[{"petal width (cm)": 2, "petal length (cm)": 1}, {"petal width (cm)": 4, "petal length (cm)": 3}]'


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"[[1, 2], [3, 4]]"),
        ("application/json", b'{"columns": ["petal length (cm)", "petal width (cm)"], "data": [[1, 2], [3, 4]]}'),
        ("application/json", RECORDS),
        ("application/json", b'{"instances": [[1, 2], [3, 4]]}'),
        ("application/jsonlines", b"[1, 2]\n[3, 4]\n"),
        ("text/csv", b"1,2\n3,4\n"),
        ("text/csv", b"petal length (cm),petal width (cm)\n1,2\n3,4\n"),
    ],
)
def test_every_form_of_a_table_reaches_the_model(api: Api, content_type: str, body: bytes) -> None:
    response = api.send("POST", "/predict", body, content_type=content_type, accept="application/json")

    assert (response.status_code, response.json()) == (200, {"predictions": ["versicolor", "virginica"]})


@pytest.mark.parametrize("content_type", ["text/csv", "application/jsonlines", "application/json"])
def test_the_answer_has_the_containers_own_media_type(api: Api, content_type: str) -> None:
    bodies = {"text/csv": b"1,2\n", "application/jsonlines": b"[1, 2]\n", "application/json": b"[[1, 2]]"}

    response = api.predict(bodies[content_type], content_type)

    assert response.status_code == 200
    assert response.headers["Content-Type"].partition(";")[0] == content_type


def npy(rows: list[list[float]]) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asarray(rows), allow_pickle=False)
    return file.getvalue()


def test_bytes_go_in_and_come_out(api: Api) -> None:
    response = api.send(
        "POST", "/predict", npy([[1.4, 0.2]]), content_type="application/x-npy", accept="application/json"
    )
    assert response.json() == {"predictions": ["setosa"]}

    sent = b'{"data": [[1.4, 0.2]], "method": "predict_proba"}'
    response = api.send("POST", "/predict", sent, content_type="application/json", accept="application/x-npy")
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/x-npy")
    assert np.load(io.BytesIO(response.content)).shape == (1, 3)


def test_a_caller_who_names_bytes_second_is_told_to_name_them_first(api: Api) -> None:
    response = api.send(
        "POST", "/predict", b"[[1, 2]]", content_type="application/json", accept="text/html, application/x-npy"
    )

    assert response.status_code == 406
    assert "name it first in Accept" in problem(response)["detail"]


def test_a_file_in_a_form_is_read_as_the_file(api: Api) -> None:
    headers = {} if api.key is None else {"x-api-key": api.key}
    files = {"file": ("rows.csv", b"1,2\n3,4\n", "text/csv")}

    response = requests.post(f"{api.url}/predict", files=files, headers=headers, timeout=60)

    assert (response.status_code, response.text.split()) == (200, ["versicolor", "virginica"])
