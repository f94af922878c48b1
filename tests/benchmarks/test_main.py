import pytest

from benchmarks.__main__ import is_full, parse
from benchmarks.servers import SERVERS


def test_every_server_is_measured_unless_some_are_named() -> None:
    assert parse([]).servers == [server.name for server in SERVERS]


def test_an_unknown_server_is_refused_with_the_names_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--servers", "baseline,flask"])

    assert "no such server: flask; there are baseline, fastapi," in capsys.readouterr().err


@pytest.mark.parametrize(("rounds", "seconds", "full"), [("3", "5", True), ("2", "60", False), ("9", "4", False)])
def test_a_short_run_gives_no_results(rounds: str, seconds: str, *, full: bool) -> None:
    assert is_full(parse(["--rounds", rounds, "--seconds", seconds])) is full
