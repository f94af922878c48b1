import json
import logging

from predictor.logs import JsonFormatter


def line_of(**attributes: object) -> dict[str, object]:
    record = logging.LogRecord("predictor", logging.INFO, "", 0, "a %s", ("b",), None)
    record.created, record.msecs = 1.25, 250.0
    record.__dict__.update(attributes)
    parsed: dict[str, object] = json.loads(JsonFormatter().format(record))
    return parsed


def test_a_log_line_is_one_json_object() -> None:
    assert line_of(fields={"status": 200}) == {
        "time": "1970-01-01T00:00:01.250Z",
        "level": "info",
        "message": "a b",
        "status": 200,
    }


def test_a_traceback_stays_in_its_line() -> None:
    error = ZeroDivisionError("no")

    text = line_of(exc_info=(type(error), error, None))["traceback"]

    assert text == "ZeroDivisionError: no"


def test_a_long_traceback_is_cut_in_its_middle() -> None:
    error = ValueError("a" * 1_000_000 + "\ud800 the end")

    text = str(line_of(exc_info=(type(error), error, None))["traceback"])

    assert (text.startswith("ValueError: aaa"), text.endswith("? the end")) == (True, True)
    assert "characters left out" in text
    assert len(text) < 10_000
