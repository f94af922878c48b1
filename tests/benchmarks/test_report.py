import math

from benchmarks.ratios import Summary
from benchmarks.report import measured, overhead


def summary(server: str, ratio: float | None, work: str = "one row") -> Summary:
    spread = None if ratio is None else (ratio - 1, ratio + 1)
    return Summary(work, server, 1234.5, ratio, spread, 1.234, 56.78, 9, 2.34, 210.6, math.inf, math.inf)


def test_each_work_has_a_heading_and_a_line_for_each_server() -> None:
    lines = measured([summary("baseline", 1.0), summary("product", None)]).splitlines()[2:]

    assert [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines] == [
        ["**one row**", *[""] * 10],
        ["baseline", "1,234", "1.0", "0.0-2.0", "1.23", "56.8", "9", "2.3", "211", "inf", "inf"],
        ["product", "1,234", "-", "-", "1.23", "56.8", "9", "2.3", "211", "inf", "inf"],
    ]


def test_overhead_is_what_a_server_adds_to_a_bare_prediction() -> None:
    assert overhead([summary("product", None), summary("product", None, work="other")], "one row", 1.0) == (
        "| server       | p50 ms | over bare predict ms |\n"
        "| ------------ | -----: | -------------------: |\n"
        "| bare predict |   1.00 |                 0.00 |\n"
        "| product      |   1.23 |                 0.23 |"
    )
