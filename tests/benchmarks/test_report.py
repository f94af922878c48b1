"""The results file, and what is made of it."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks import plot, report, results
from benchmarks.__main__ import PAGE, PLOT, RESULTS
from benchmarks.results import Results, ServerFacts
from benchmarks.summary import Figure, Single, Summary


def summary(server: str, ratio: float | None, rows: int = 1, clients: int = 32) -> Summary:
    return Summary(
        model="credit-logistic",
        rows=rows,
        clients=clients,
        server=server,
        rps=Figure(1234.5678, 1000, 1500),
        ratio=None if ratio is None else Figure(ratio, ratio - 1, ratio + 1),
        of_ceiling=Figure(0.8, 0.7, 0.9) if server == "product" else None,
        p50_ms=Figure(1.234, 1, 2),
        p99_ms=56.78,
        errors=9,
        ready_s=2.34,
        pss_mb=210.6,
        ping_p99_ms=3.0,
        ping_max_ms=None,
    )


RESULT = Results(
    command="python -m benchmarks",
    machine=["a machine"],
    servers=[ServerFacts("baseline", "gunicorn 1", "1.9.1", "2 workers")],
    singles=[Single("credit-logistic", Figure(1.0, 0.9, 1.1))],
    summaries=[
        summary("baseline", 1.0),
        summary("product", 5.4),
        summary("compiled", 44.0),
        summary("product", 5.0, rows=100),
        summary("product", None, clients=1),
    ],
    failures={"mlflow, forest": "it did not start"},
)


def cells(page: str, start: str) -> list[list[str]]:
    lines = [line for line in page.splitlines() if line.startswith(start)]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


def test_a_results_file_is_read_as_it_was_written_but_for_digits(tmp_path: Path) -> None:
    path = tmp_path / "results.json"

    results.write(RESULT, path)
    found = results.read(path)
    results.write(found, tmp_path / "again.json")

    assert found.summaries[0].rps == Figure(1235, 1000, 1500)
    assert (found.servers, found.singles, found.failures) == (RESULT.servers, RESULT.singles, RESULT.failures)
    assert (tmp_path / "again.json").read_text() == path.read_text()
    json.loads(path.read_text(), parse_constant=pytest.fail)  # NaN, Infinity


def test_a_line_a_model_says_how_fast_it_is_and_how_near_to_its_ceiling() -> None:
    assert cells(report.page(RESULT), "| credit, logistic")[0] == [
        "credit, logistic",
        "5.4x (4.4-6.4)",
        "0.80 (0.70-0.90)",
        "44x (43-45)",
        "5.0x (4.0-6.0)",
        "0.80 (0.70-0.90)",
        "-",
    ]


def test_one_client_is_compared_with_the_bare_call() -> None:
    assert cells(report.page(RESULT), "| credit, logistic")[1] == ["credit, logistic", "1.00", "1.23", "0.23", "-", "-"]


def test_every_server_has_a_line_under_its_work() -> None:
    page = report.page(RESULT)

    assert [line[0] for line in cells(page, "| **")] == [
        "**credit, logistic; rows 1, clients 32**",
        "**credit, logistic; rows 100, clients 32**",
        "**credit, logistic; rows 1, clients 1**",
    ]
    assert cells(page, "| compiled") == [
        [
            "compiled",
            "1,235",
            "1,000-1,500",
            "44.0",
            "43.0-45.0",
            "-",
            "1.23",
            "56.8",
            "9",
            "2.3",
            "211",
            "3.0",
            "failed",
        ]
    ]
    assert "* mlflow, forest failed: it did not start" in page


def test_the_plot_has_a_bar_for_each_ratio() -> None:
    root = ET.fromstring(plot.draw(RESULT))  # our own
    texts = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]

    assert [text for text in texts if text and text.endswith("x")] == ["5.4x", "44x", "5.0x"]
    assert "credit, logistic" in texts


def test_table_and_plot_are_those_of_the_results_file() -> None:
    found = results.read(RESULTS)

    assert PAGE.read_text() == report.page(found), "run `python -m benchmarks --draw`"
    assert PLOT.read_text() == plot.draw(found), "run `python -m benchmarks --draw`"
