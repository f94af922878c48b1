import pytest

from benchmarks.errors import LoadError
from benchmarks.load import Load, parse

SUMMARY = (
    '{"requests":12010,"duration_us":2000000,"p50_us":1500,"p99_us":9000,"max_us":31000,'
    '"connect":1,"read":2,"write":3,"timeout":4,"status":10}'
)


def test_the_summary_is_the_last_line_of_json_among_what_wrk_prints() -> None:
    output = f"Running 2s test @ http://127.0.0.1:1/\n{{}}\nRequests/sec: 6005.00\n{SUMMARY}\n"

    assert parse(output) == Load(rps=6000, p50_ms=1.5, p99_ms=9, max_ms=31, errors=20)


def test_output_without_a_summary_is_an_error_that_shows_it() -> None:
    with pytest.raises(LoadError, match="wrk printed no summary: unable to connect"):
        parse("unable to connect to 127.0.0.1:1 Connection refused")
