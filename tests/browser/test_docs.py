"""GET /docs in a real browser, in front of the whole chain: type rows, see predictions, or see the problem."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from selenium import webdriver

from tests.browser.conftest import REQUIRES_CHROMIUM, complaints, wait_for
from tests.chain.running import running

pytestmark = REQUIRES_CHROMIUM

TRY = "#operations-default-predict"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("chain") / "log") as chain:
        chain.wait_until_ready()
        yield chain.url


@pytest.fixture
def page(browser: webdriver.Chrome, url: str) -> webdriver.Chrome:
    """The page, with POST /predict opened."""
    browser.get(f"{url}/docs")
    wait_for(browser, f"{TRY} .opblock-summary-control").click()
    wait_for(browser, f"{TRY} textarea")
    return browser


def send(page: webdriver.Chrome, body: str) -> tuple[int, Any]:
    """Type the body, press Execute, and read the answer as it is shown."""
    field = wait_for(page, f"{TRY} textarea")
    field.clear()
    field.send_keys(body)
    wait_for(page, f"{TRY} .execute").click()
    status = wait_for(page, f"{TRY} .live-responses-table tr.response .response-col_status").text
    shown = wait_for(page, f"{TRY} .live-responses-table tr.response .response-col_description code").text
    return int(status.split()[0]), json.loads(shown)


def test_typed_rows_are_predicted(page: webdriver.Chrome) -> None:
    status, answer = send(page, '{"data": [[1.4, 0.2], [6.0, 2.5]]}')

    assert (status, answer) == (200, {"predictions": ["setosa", "virginica"]})


def test_bad_rows_show_the_problem(page: webdriver.Chrome) -> None:
    status, answer = send(page, '{"data": [[1.4, 0.2], [6.0]]}')

    assert status == 400
    assert [each["pointer"] for each in answer["errors"]] == ["/data/1"]


def test_the_example_is_there_to_be_sent(page: webdriver.Chrome) -> None:
    wait_for(page, f"{TRY} .execute").click()

    shown = wait_for(page, f"{TRY} .live-responses-table tr.response .response-col_description code").text
    assert json.loads(shown)["predictions"]


def test_nothing_is_refused_by_the_pages_own_policy(page: webdriver.Chrome) -> None:
    assert [each for each in complaints(page) if "400" not in each] == []
