import pytest

from benchmarks.__main__ import RESULTS, parse
from benchmarks.servers import SERVERS


def test_every_server_is_measured_unless_some_are_named() -> None:
    assert parse([]).servers == [server.name for server in SERVERS]


def test_an_unknown_server_is_refused_with_the_names_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--servers", "baseline,flask"])

    assert "no such server: flask; there are baseline, product," in capsys.readouterr().err


def test_an_unknown_model_is_refused_with_the_names_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--models", "iris,wine"])

    assert "no such model: wine; there are credit-logistic," in capsys.readouterr().err


def test_rows_and_clients_are_pairs() -> None:
    assert parse(["--grid", "1x32,100x8"]).grid == [(1, 32), (100, 8)]


@pytest.mark.parametrize(("rounds", "full"), [("3", True), ("2", False)])
def test_a_short_run_gives_no_results(rounds: str, *, full: bool) -> None:
    assert (parse(["--rounds", rounds]).output == RESULTS) is full
