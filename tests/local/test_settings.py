import re
from pathlib import Path

import pytest

from cli.make import TARGETS
from local.errors import ChainError
from local.settings import Settings, read_account, read_settings
from local.signature import Account

ROOT = Path(__file__).parents[2]
DEFAULTS = Settings(port=3000, runtime_port=8081, container_port=8080, model="iris", api_key=None)


def test_defaults() -> None:
    assert read_settings([]) == DEFAULTS


def test_every_option() -> None:
    options = ["--port", "1", "--runtime-port", "2", "--container-port", "0", "--model", "wine", "--api-key", "k"]

    assert read_settings(options) == Settings(1, 2, 0, "wine", "k")


@pytest.mark.parametrize("port", ["-1", "65536", "http", "٣"])
def test_a_port_that_is_none(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_settings([f"--port={port}"])

    assert f"argument --port: expected a port from 0 to 65535, not {port!r}" in capsys.readouterr().err


def test_the_account_comes_from_the_environment() -> None:
    environ = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-west-1"}

    assert read_account(environ) == Account("key", "eu-west-1", "secret")


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"])
def test_a_missing_variable_is_named(name: str) -> None:
    environ = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-west-1", name: ""}

    with pytest.raises(ChainError, match=f"{name} is not set"):
        read_account(environ)


def test_the_documented_settings_are_those_of_make_run() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\S*) ?\|", (ROOT / "docs" / "local-chain.md").read_text(), re.MULTILINE)
    assert {name: default.strip("`|") for name, default in rows} == {
        "MODEL": DEFAULTS.model,
        "PORT": str(DEFAULTS.port),
        "RUNTIME_PORT": str(DEFAULTS.runtime_port),
        "CONTAINER_PORT": str(DEFAULTS.container_port),
        "API_KEY": "",
    }
    assert TARGETS["run"][1].keys() >= {name for name, _ in rows}
