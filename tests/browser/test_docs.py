"""GET /docs in a real browser, in front of the whole chain: type rows, see predictions, or see the problem."""

import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tests.chain.running import running

CHROMIUM = shutil.which("chromium")
CHROMEDRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and CHROMEDRIVER), reason="no chromium and chromedriver on PATH")

TRY = "#operations-default-predict"
SECONDS = 20


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("chain") / "log") as chain:
        chain.wait_until_ready()
        yield chain.url


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    # Chromium's sandbox does not run as root; nothing from elsewhere may be fetched either.
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(str(CHROMEDRIVER)))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture
def page(browser: webdriver.Chrome, url: str) -> webdriver.Chrome:
    """The page, with POST /predict opened."""
    browser.get(f"{url}/docs")
    wait_for(browser, f"{TRY} .opblock-summary-control").click()
    wait_for(browser, f"{TRY} textarea")
    return browser


def wait_for(browser: webdriver.Chrome, selector: str) -> WebElement:
    return WebDriverWait(browser, SECONDS).until(lambda driver: driver.find_element(By.CSS_SELECTOR, selector))


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
    assert answer["errors"] == [{"pointer": "/data/1", "detail": "expected 2 cells, as in row 0, got 1"}]


def test_the_example_is_there_to_be_sent(page: webdriver.Chrome) -> None:
    wait_for(page, f"{TRY} .execute").click()

    shown = wait_for(page, f"{TRY} .live-responses-table tr.response .response-col_description code").text
    assert len(json.loads(shown)["predictions"]) == 5


def test_nothing_is_refused_by_the_pages_own_policy(page: webdriver.Chrome) -> None:
    complaints = [
        entry["message"]
        for entry in page.get_log("browser")  # type: ignore[no-untyped-call]  # has no annotations
        if entry["level"] == "SEVERE"
    ]

    assert [each for each in complaints if "400" not in each] == []
