"""The API as its callers meet it, through every tier; with --api-url, of any deployment of the iris example."""

import gzip
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.chain.conftest import Api, problem

POINTS = b'{"data": [[1,2],[3,4],[3,3],[10,1],[7,8]]}'
MAX_BODY = 6_000_000
LAMBDA_LIMIT = 6_291_456
GATEWAY_LIMIT = 10 * 1024 * 1024


def padded(size: int) -> bytes:
    """Return a good body of `size` bytes."""
    return b'{"data": [[1, 2]]' + b" " * (size - 18) + b"}"


def test_predicts(api: Api) -> None:
    response = api.predict(POINTS)

    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "application/json"
    assert response.json() == {"predictions": ["versicolor", "virginica", "virginica", "virginica", "virginica"]}


def test_predicts_one_row_as_among_many(api: Api) -> None:
    one = api.predict(b'{"data": [[3,4]]}').json()["predictions"]

    assert one == api.predict(POINTS).json()["predictions"][1:2]


def test_every_caller_gets_the_answer_to_its_own_question(api: Api) -> None:
    bodies = [json.dumps({"data": [[n / 20, n % 7]], "method": "predict_proba"}).encode() for n in range(100)]
    alone = [api.predict(body).json() for body in bodies]

    with ThreadPoolExecutor(16) as callers:
        together = [response.json() for response in callers.map(api.predict, bodies)]

    assert together == alone


def test_probabilities(api: Api) -> None:
    (row,) = api.predict(b'{"data": [[1.4, 0.2]], "method": "predict_proba"}').json()["predictions"]

    assert len(row) == 3
    assert sum(row) == pytest.approx(1)


@pytest.mark.parametrize("content_type", ["Application/JSON", "application/json; charset=utf-8"])
def test_content_types_of_json(api: Api, content_type: str) -> None:
    assert api.predict(POINTS, content_type).status_code == 200


def test_a_compressed_body(api: Api) -> None:
    response = api.send(
        "POST", "/predict", gzip.compress(POINTS), content_type="application/json", content_encoding="gzip"
    )

    assert len(response.json()["predictions"]) == 5


def test_health(api: Api) -> None:
    response = api.send("GET", "/health")

    assert (response.status_code, response.json()["status"]) == (200, "ok")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"data=1",
        b"{",
        b"\xff\xfe",
        b"[]",
        b'"text"',
        b"null",
        b"{}",
        b'{"data": []}',
        b'{"data": {}}',
        b'{"data": "1,2"}',
        b"[" * 100_000,
    ],
    ids=lambda body: repr(body[:12]),
)
def test_the_function_judges_bodies_and_not_the_gateway(api: Api, body: bytes) -> None:
    response = api.predict(body)

    assert response.status_code == 400
    assert "Server-Timing" in response.headers, "only the function's own answers have it"
    assert problem(response)["status"] == response.status_code


def test_a_binary_body_reaches_the_function(api: Api) -> None:
    response = api.predict(b"\x89PNG\r\n\x1a\n", "image/png")

    assert response.status_code == 415
    assert "image/png" in problem(response)["detail"]


def test_the_gateways_own_answers_name_their_request_in_a_header(api: Api) -> None:
    response = api.send("GET", "/models")

    assert response.headers["X-Request-Id"] == response.json()["request_id"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ('{"data": [[1, 2], [3]]}', "/data/1"),
        ('{"data": [[]]}', "/data/0"),
        ('{"data": [[1, [2]]]}', "/data/0/1"),
        ('{"data": [[1, 2]], "params": {}}', "/params"),
        ('{"data": [[1, 2]], "method": "fit"}', "/method"),
    ],
)
def test_what_the_model_does_not_take_is_pointed_at(api: Api, body: str, pointer: str) -> None:
    response = api.predict(body.encode())

    assert response.status_code == 400
    refused = problem(response)
    assert (refused["title"], refused["status"]) == ("Bad Request", 400)
    assert [each["pointer"] for each in refused["errors"]] == [pointer]


def test_nan_is_no_json(api: Api) -> None:
    response = api.predict(b'{"data": [[1, NaN]]}')

    # API Gateway's own parser decides whether the function sees it.
    assert problem(response)["status"] == 400


def test_too_many_rows(api: Api) -> None:
    response = api.predict(json.dumps({"data": [[1, 2]] * 10_001}).encode())

    assert response.status_code == 400
    assert problem(response)["errors"] == [{"pointer": "/data", "detail": "expected at most 10000 rows, got 10001"}]


def test_as_many_rows_as_allowed(api: Api) -> None:
    response = api.predict(json.dumps({"data": [[1, 2]] * 10_000}).encode())

    assert len(response.json()["predictions"]) == 10_000


@pytest.mark.parametrize(
    "body",
    ['{"data": [[1, 2, 3]]}', '{"data": [[1]]}', '{"data": [["a", "b"]]}', '{"data": [[null, 1]]}'],
)
def test_what_the_model_refuses_is_said_in_the_containers_words(api: Api, body: str) -> None:
    response = api.predict(body.encode())

    assert response.status_code == 400
    refused = problem(response)
    assert refused["title"] == "Bad Request"
    assert any("expected" in error["detail"] for error in refused.get("errors", [refused])), refused


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain"])
def test_a_wrong_content_type(api: Api, content_type: str) -> None:
    response = api.predict(POINTS, content_type)

    assert response.status_code == 415
    refused = problem(response)
    assert (refused["title"], refused["status"]) == ("Unsupported Media Type", 415)
    assert refused["detail"].startswith(f'The content type "{content_type}" cannot be read: send')


def test_a_body_that_is_not_what_its_encoding_says(api: Api) -> None:
    response = api.send("POST", "/predict", b"not gzip", content_type="application/json", content_encoding="gzip")

    assert response.status_code in (400, 415)
    assert "Content-Encoding" in problem(response)["detail"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/predict"),
        ("PUT", "/predict"),
        ("PURGE", "/predict"),
        ("DELETE", "/predict"),
        ("POST", "/health"),
        ("GET", "/models"),
    ],
)
def test_a_wrong_method_or_path(api: Api, method: str, path: str) -> None:
    response = api.send(method, path)

    assert response.status_code == 404
    assert problem(response) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is nothing at this path, or not with this method.",
    }


def test_a_body_of_6_mb_passes(api: Api) -> None:
    response = api.predict(padded(MAX_BODY))

    assert (response.status_code, len(response.json()["predictions"])) == (200, 1)


@pytest.mark.parametrize("size", [MAX_BODY + 1, 6_200_000])
def test_a_body_above_6_mb_is_refused_by_the_function(api: Api, size: int) -> None:
    response = api.predict(padded(size))

    assert response.status_code == 413
    assert problem(response) == {
        "type": "about:blank",
        "title": "Content Too Large",
        "status": 413,
        "detail": f"The body has {size} bytes, at most {MAX_BODY} are taken. Send fewer rows.",
    }


@pytest.mark.parametrize("size", [LAMBDA_LIMIT, GATEWAY_LIMIT])
def test_an_event_above_6_mb_is_refused_by_lambda(api: Api, size: int) -> None:
    response = api.predict(padded(size))

    assert response.status_code == 413
    assert problem(response) == {
        "type": "about:blank",
        "title": "Content Too Large",
        "status": 413,
        "detail": "The body is larger than Lambda takes: 6 MB of text, about 4.5 MB of binary data. Send fewer rows.",
    }


def test_a_body_above_10_mb_is_refused_by_api_gateway(api: Api) -> None:
    """This one answer cannot be customised."""
    response = api.predict(padded(GATEWAY_LIMIT + 1))

    assert response.status_code == 413
    assert response.text == "HTTP content length exceeded 10485760 bytes."


def test_no_answer_shows_the_inside(api: Api) -> None:
    bodies = [b"", b"{", b'{"data": [["a", "b"]]}', b'{"data": [[1, 2, 3]]}', b'{"data": [[1, 2]], "x": 1}']

    texts = [api.predict(body).text for body in bodies]

    assert [text for text in texts if "Traceback" in text or "/opt" in text or ".py" in text] == []
