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


def refuses_at_the_gateway(api: Api) -> None:
    """The gateway refuses what its coarse validator can see: its problem names no pointers, unlike the function's."""
    refused: tuple[Any, ...] = ([], {}, {"data": []}, {"data": "rows"})
    for body in refused:
        problem = assert_problem(api.predict(body), 400)
        assert "errors" not in problem, problem


CHECKS = (predicts, asks_for_a_key, refuses_at_the_gateway)


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
