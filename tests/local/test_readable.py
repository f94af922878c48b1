import json
import re
from typing import Any

import pytest

from local.readable import readable

REQUEST = {
    "level": "INFO",
    "service": "invoker",
    "message": "request",
    "route": "POST /predict",
    "status": 200,
    "outcome": "ok",
    "rows": 5,
    "milliseconds": {"total": 12.4},
}


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({}, "POST /predict  200  5 rows  12 ms"),
        ({"rows": 1}, "POST /predict  200  1 row  12 ms"),
        ({"rows": 0, "route": "GET /health"}, "GET /health  200  12 ms"),
        ({"status": 400, "outcome": "request_error"}, "POST /predict  400  5 rows  12 ms  request_error"),
    ],
)
def test_a_request_is_a_line(changed: dict[str, Any], text: str) -> None:
    assert re.sub(r"^\d\d:\d\d:\d\d  ", "", readable(json.dumps(REQUEST | changed))) == text


@pytest.mark.parametrize("record", [{"_aws": {}}, {"level": "info", "message": "ready"}, {"level": "DEBUG"}])
def test_what_is_of_no_use_to_a_person_is_left_out(record: dict[str, Any]) -> None:
    assert readable(json.dumps(record)) == ""


@pytest.mark.parametrize("line", ["Traceback (most recent call last):", "[1]", "5", "{broken", ""])
def test_what_is_no_record_stays_as_it_is(line: str) -> None:
    assert readable(line) == line


def test_a_warning_has_its_fields_and_an_error_its_traceback() -> None:
    warning = {"level": "warning", "message": "retry", "time": "t", "cause": "503", "attempts": 2}
    assert readable(json.dumps(warning)) == "warning: retry  cause=503  attempts=2"

    error = {"level": "ERROR", "message": "failed", "exception": "Traceback\n  line"}
    assert readable(json.dumps(error)) == "error: failed\nTraceback\n  line"
