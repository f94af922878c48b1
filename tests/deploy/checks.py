"""What a deployed API must do. Each check is made of the good stack, and of stacks with a planted defect."""

from typing import Any

import requests

from tests.deploy.cloud import Api

POINTS = {"data": [[1, 2], [3, 4], [3, 3], [10, 1], [7, 8]]}
FOREIGN_KEY = "0123456789abcdefghijklmnopqrstuvwxyzABCD"


def predicts(api: Api) -> None:
    """With its key the API answers with one prediction a row."""
    response = api.predict(POINTS)
    assert response.status_code == 200, response.text
    assert len(response.json()["predictions"]) == len(POINTS["data"])


def asks_for_a_key(api: Api) -> None:
    """Without a key, or with another's, the API answers 403; health alone is open."""
    for key in (None, FOREIGN_KEY):
        assert_problem(api.predict(POINTS, key=key), 403)
    assert api.health().status_code != 403


def says_what_is_wrong_with_a_body(api: Api) -> None:
    """A body of the wrong shape is the caller's fault, and the function says so; the gateway passes every body on."""
    refused: tuple[Any, ...] = ([], {}, {"data": []}, {"data": "rows"})
    for body in refused:
        response = api.predict(body)
        assert response.status_code == 400, response.text
        assert "Server-Timing" in response.headers, "the gateway refused it"


def takes_binary_bodies_as_they_are(api: Api) -> None:
    """A binary body reaches the function unharmed: refused for its media type, not its bytes."""
    response = requests.post(
        f"{api.url}/predict",
        data=b"\x89PNG\xff",
        headers={"x-api-key": api.key, "Content-Type": "image/png"},
        timeout=30,
    )
    assert_problem(response, 415)


def names_the_request(api: Api) -> None:
    """A refusal carries the id of the request in a header, be it the gateway's or the function's."""
    response = api.predict(POINTS, key=None)
    if not response.ok:
        assert response.headers.get("X-Request-Id") == response.json()["request_id"], dict(response.headers)


CHECKS = (
    predicts,
    asks_for_a_key,
    says_what_is_wrong_with_a_body,
    takes_binary_bodies_as_they_are,
    names_the_request,
)


def failing(api: Api) -> set[str]:
    """The names of the checks that this API does not pass."""
    return {check.__name__ for check in CHECKS if not passes(check, api)}


def passes(check: Any, api: Api) -> bool:
    try:
        check(api)
    except AssertionError:
        return False
    return True


def assert_problem(response: requests.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["status"] == status, problem
    assert {"type", "title", "detail", "request_id"} <= problem.keys(), problem
    return problem
