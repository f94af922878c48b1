"""A stack from `sam deploy` to `sam delete`: the steps are tests in the order of a stack's life."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.deploy.checks import POINTS, assert_problem, failing
from tests.deploy.cloud import Api, Cloud

STACK = "good"
# Of the plan that the update sets: one a second, and so many at once before that.
BURST = 8


@pytest.fixture(scope="module")
def api(cloud: Cloud, project: Path) -> Api:
    return cloud.deploy(project, STACK, {"EndpointName": "iris"})


def test_created_stack_passes_every_check(api: Api) -> None:
    assert failing(api) == set()


def test_health_names_the_endpoint(api: Api) -> None:
    assert api.health().json()["endpoint"] == "iris"


def test_changed_parameters_reach_the_callers(cloud: Cloud, project: Path, api: Api) -> None:
    """Environment and permission of the function behind the live alias change together, under the same URL and key."""
    updated = cloud.deploy(project, STACK, {"EndpointName": "flowers", "RateLimit": "1", "BurstLimit": str(BURST)})

    assert updated == api
    assert updated.health().json()["endpoint"] == "flowers"
    assert failing(updated) == set()


def test_more_requests_than_the_plan_allows_are_refused(api: Api) -> None:
    """All are sent at once: only a machine that takes half a minute to look at them would let them all through."""
    count = 5 * BURST
    with ThreadPoolExecutor(count) as pool:
        responses = list(pool.map(lambda _: api.predict(POINTS), range(count)))

    refused = [response for response in responses if response.status_code != 200]
    assert refused
    wait = [int(response.headers["Retry-After"]) for response in refused if assert_problem(response, 429)]
    time.sleep(max(wait) + 0.5)
    assert api.predict(POINTS).status_code == 200


def test_deleted_stack_answers_and_leaves_nothing(cloud: Cloud, project: Path, api: Api) -> None:
    cloud.delete(project, STACK)

    assert api.predict(POINTS).status_code in {403, 404}
    functions = cloud.client("lambda").list_functions()["Functions"]
    assert [function["FunctionName"] for function in functions if function["FunctionName"].startswith(STACK)] == []
    assert STACK not in {rest_api["name"] for rest_api in cloud.client("apigateway").get_rest_apis()["items"]}
    groups = cloud.client("logs").describe_log_groups()["logGroups"]
    assert [group["logGroupName"] for group in groups if group["logGroupName"].endswith(f"/{STACK}")] == []
