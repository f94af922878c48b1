"""The page at / in a real browser, in front of the whole chain, for a model of each kind of input.

SCREENSHOTS=folder keeps pictures of it, for a person to look at.
"""

import json
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from tests.browser.conftest import REQUIRES_CHROMIUM, SECONDS, complaints, wait_for
from tests.chain.running import ANY_PORTS, running
from tests.refusals import SCHEMA

pytestmark = REQUIRES_CHROMIUM

PICTURE_CODE = """
import json
def model_fn(model_dir): return None
def input_fn(body, content_type): return body
def predict_fn(body, model): return {"bytes": len(body), "png": 0.9, "other": 0.1}
def output_fn(answer, accept): return json.dumps(answer), "application/json"
"""
PICTURE = {"title": "pictures", "x-kind": "binary", "x-media-types": ["image/png"], "x-max-bytes": 100_000}
TEXT_CODE = """
import json
def model_fn(model_dir): return None
def input_fn(body, content_type): return json.loads(body)
def predict_fn(asked, model): return {"length": len(asked["text"])}
def output_fn(answer, accept): return json.dumps(answer), "application/json"
"""
TEXT = {
    "title": "text",
    "x-kind": "json",
    "type": "object",
    "properties": {"text": {"type": "string", "maxLength": 20}},
    "required": ["text"],
    "examples": [{"text": "abc"}],
}


def credit(folder: Path) -> Path:
    frame = pd.DataFrame({"age": [20.0, 30, 40, 50], "income": [1.0, None, 3, 4], "plan": ["basic", "pro"] * 2})
    columns = [
        ("age", StandardScaler(), ["age"]),
        ("income", SimpleImputer(), ["income"]),
        ("plan", OneHotEncoder(), ["plan"]),
    ]
    folder.mkdir()
    pipeline = make_pipeline(ColumnTransformer(columns), LogisticRegression()).fit(frame, ["no", "yes"] * 2)
    joblib.dump(pipeline, folder / "model.joblib")
    (folder / "schema.json").write_text(json.dumps(SCHEMA | {"x-output": {"enum": ["no", "yes"]}}))
    return folder


def own_code(folder: Path, code: str, schema: dict[str, Any]) -> Path:
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "inference.py").write_text(code)
    (folder / "schema.json").write_text(json.dumps(schema))
    return folder


def png() -> bytes:
    """A picture of one orange dot."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0\xff\x80\0"))
        + chunk(b"IEND", b"")
    )


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """URL of a chain for each kind of model; the tables ask for a key."""
    folder = tmp_path_factory.mktemp("models")
    models = {
        "table": (credit(folder / "table"), ("--api-key", "my-key")),
        "binary": (own_code(folder / "binary", PICTURE_CODE, PICTURE), ()),
        "json": (own_code(folder / "json", TEXT_CODE, TEXT), ()),
    }
    with ExitStack() as stack:
        started = {
            kind: stack.enter_context(running(folder / f"{kind}.log", *ANY_PORTS, "--model", str(model), *options))
            for kind, (model, options) in models.items()
        }
        for chain in started.values():
            chain.wait_until_ready()
        yield {kind: chain.url for kind, chain in started.items()}


def opened(browser: webdriver.Chrome, url: str) -> None:
    browser.get(f"{url}/")
    WebDriverWait(browser, SECONDS).until(lambda driver: shown(driver, "#ask") or shown(driver, "#credential"))


def shown(browser: webdriver.Chrome, selector: str) -> bool:
    return browser.find_element(By.CSS_SELECTOR, selector).is_displayed()


def text_of(browser: webdriver.Chrome, selector: str, contains: str = "") -> str:
    def found(driver: webdriver.Chrome) -> str:
        text: str = driver.find_element(By.CSS_SELECTOR, selector).text
        return text if contains in text and text else ""

    return WebDriverWait(browser, SECONDS).until(found)


def picture(browser: webdriver.Chrome, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        height = browser.execute_script("return document.documentElement.scrollHeight")
        width = browser.get_window_size()["width"]
        browser.set_window_size(width, max(600, height + 150))
        browser.save_screenshot(str(Path(folder) / f"{name}.png"))


@pytest.fixture
def table(browser: webdriver.Chrome, urls: dict[str, str]) -> webdriver.Chrome:
    """The form, once the key is typed in."""
    browser.set_window_size(1000, 1000)
    opened(browser, urls["table"])
    wait_for(browser, "#secret").send_keys("my-key", Keys.ENTER)
    WebDriverWait(browser, SECONDS).until(lambda driver: shown(driver, "#ask"))
    return browser


def test_a_wrong_key_is_told_and_nothing_is_shown(browser: webdriver.Chrome, urls: dict[str, str]) -> None:
    opened(browser, urls["table"])
    wait_for(browser, "#secret").send_keys("wrong", Keys.ENTER)

    assert text_of(browser, "#credential-error") == "This is not accepted."
    assert not shown(browser, "#ask")
    assert "age" not in browser.find_element(By.TAG_NAME, "main").text


def test_a_form_has_a_field_for_each_feature(table: webdriver.Chrome) -> None:
    assert table.title == "credit"
    labels = [each.text for each in table.find_elements(By.CSS_SELECTOR, "#fields label")]
    assert labels == ["age", "income", "plan"]
    options = [option.text for option in Select(wait_for(table, "#field-2")).options]
    assert options == ["basic", "pro"]
    assert wait_for(table, "#field-0").get_attribute("value") == "35"


def test_a_prediction_with_its_probabilities(table: webdriver.Chrome) -> None:
    wait_for(table, "#send").click()

    assert text_of(table, "#answer .value") == "yes"
    bars = table.find_elements(By.CSS_SELECTOR, "#answer meter")
    assert [bar.get_attribute("aria-label") for bar in bars] == ["no", "yes"]
    assert sum(float(bar.get_attribute("value") or 0) for bar in bars) == pytest.approx(1)
    picture(table, "table")


def test_an_empty_cell_is_missing(table: webdriver.Chrome) -> None:
    wait_for(table, "#field-1").clear()
    wait_for(table, "#send").click()

    assert text_of(table, "#answer .value") in {"yes", "no"}
    assert '"income":null' in text_of(table, "#snippet")


def test_an_error_stands_at_its_field(table: webdriver.Chrome) -> None:
    wait_for(table, "#field-0").clear()
    wait_for(table, "#send").click()

    assert text_of(table, "#field-0-error") == 'column "age", row 0: expected a number, got null'
    assert wait_for(table, "#field-0").get_attribute("aria-invalid") == "true"
    assert table.switch_to.active_element.get_attribute("id") == "field-0"
    assert text_of(table, "#error").startswith("400: ")
    picture(table, "error")


def test_it_works_by_keyboard(table: webdriver.Chrome) -> None:
    first = wait_for(table, "#field-0")
    first.clear()
    first.send_keys("50", Keys.TAB)
    for keys in ("4", "p", ""):
        # Field by field: income, plan, method.
        table.switch_to.active_element.send_keys(keys, Keys.TAB)
    table.switch_to.active_element.send_keys(Keys.ENTER)

    assert text_of(table, "#answer .value") in {"yes", "no"}


def test_a_csv_file_becomes_a_table_to_download(table: webdriver.Chrome, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text('plan,age,income\npro,50,4\nbasic,20,\n"pro",30,1\n')

    wait_for(table, "#file").send_keys(str(file))

    assert "3 predictions" in text_of(table, "#answer caption")
    rows = [row.text.split() for row in table.find_elements(By.CSS_SELECTOR, "#answer tbody tr")]
    assert [row[-1] for row in rows] == ["yes", "no", "no"]
    table.execute_cdp_cmd("Page.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    wait_for(table, "#answer a[download]").click()
    downloaded = tmp_path / "predictions.csv"
    WebDriverWait(table, SECONDS).until(lambda _: downloaded.exists())
    assert downloaded.read_text() == "plan,age,income,prediction\npro,50,4,yes\nbasic,20,,no\npro,30,1,no\n"
    picture(table, "csv")


@pytest.mark.parametrize("language", ["curl", "Python", "JavaScript"])
def test_the_request_in_other_languages_without_the_key(table: webdriver.Chrome, language: str) -> None:
    (tab,) = [each for each in table.find_elements(By.CSS_SELECTOR, "#tabs button") if each.text == language]
    tab.click()

    snippet = text_of(table, "#snippet")
    assert "/predict" in snippet
    assert "YOUR-KEY" in snippet
    assert "my-key" not in snippet
    assert tab.get_attribute("aria-selected") == "true"


def test_a_picture_is_shown_with_its_answer(browser: webdriver.Chrome, urls: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "dot.png"
    file.write_bytes(png())
    opened(browser, urls["binary"])

    wait_for(browser, "#file").send_keys(str(file))

    assert f'"bytes": {len(png())}' in text_of(browser, "#answer", "bytes")
    preview = wait_for(browser, "#answer img")
    size = browser.execute_script("return arguments[0].naturalWidth", preview)
    assert size == 1
    assert len(browser.find_elements(By.CSS_SELECTOR, "#answer meter")) == 2
    picture(browser, "picture")


def test_json_of_ones_own(browser: webdriver.Chrome, urls: dict[str, str]) -> None:
    opened(browser, urls["json"])
    wait_for(browser, "#send").click()
    assert '"length": 3' in text_of(browser, "#answer", "length")
    picture(browser, "json")

    area = wait_for(browser, "#field-0")
    area.clear()
    area.send_keys('{"text": "' + "x" * 21 + '"}')
    wait_for(browser, "#send").click()
    assert "longer than 20" in text_of(browser, "#field-0-error")


def test_on_a_phone_nothing_is_wider_than_the_screen(table: webdriver.Chrome) -> None:
    phone = {"width": 375, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    table.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    table.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    )
    try:
        wait_for(table, "#send").click()
        text_of(table, "#answer .value")

        width = table.execute_script("return document.documentElement.scrollWidth")
        back = table.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert width <= 375
        assert back == "rgb(21, 24, 29)"
        picture(table, "phone-dark")
    finally:
        table.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        table.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_nothing_is_refused_by_the_pages_own_policy(table: webdriver.Chrome) -> None:
    complaints(table)
    table.refresh()
    WebDriverWait(table, SECONDS).until(lambda driver: shown(driver, "#credential"))
    wait_for(table, "#secret").send_keys("my-key", Keys.ENTER)
    WebDriverWait(table, SECONDS).until(lambda driver: shown(driver, "#ask"))

    # Without a credential the first request is refused, and the browser says so.
    assert [each for each in complaints(table) if "403" not in each] == []
