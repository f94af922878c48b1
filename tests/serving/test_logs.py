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
