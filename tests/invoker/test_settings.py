import ast
import re
from dataclasses import fields, replace
from pathlib import Path

import pytest

from invoker.settings import PARSERS, Settings, SettingsError, read
from local.template import read_template

ROOT = Path(__file__).parents[2]
# On AWS the file lies beside the code, and Lambda sets the function's name.
LOCAL = {"SCHEMA_FILE", "AWS_LAMBDA_FUNCTION_NAME"}
# Read by the packages themselves.
OTHERS = {"AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"}
FUNCTION = read_template(ROOT / "template.yaml", {"EndpointName": "iris"}).function


def test_only_the_endpoint_must_be_named() -> None:
    assert read({"ENDPOINT_NAME": "iris"}) == Settings("iris")


def test_all_can_be_set() -> None:
    environ = {
        "ENDPOINT_NAME": "iris",
        "MAX_ROWS": "5",
        "MAX_BODY_BYTES": "6",
        "LOG_LEVEL": "DEBUG",
        "CONNECT_TIMEOUT_SECONDS": "0.5",
        "READ_TIMEOUT_SECONDS": "7",
        "MAX_ATTEMPTS": "1",
        "CORS_ORIGIN": "*",
        "DOCS_ENABLED": "true",
        "AUTH": "jwt",
        "SCHEMA_FILE": "schema.json",
    }

    expected = Settings("iris", 5, 6, "DEBUG", 0.5, 7.0, 1, "*", docs_enabled=True)
    assert read(environ) == replace(expected, auth="jwt", schema_file="schema.json")


def test_empty_is_not_set() -> None:
    assert read({"ENDPOINT_NAME": "iris", "MAX_ROWS": "", "CORS_ORIGIN": ""}) == Settings("iris")


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, "ENDPOINT_NAME is not set: the name of the SageMaker endpoint to invoke"),
        ({"ENDPOINT_NAME": ""}, "ENDPOINT_NAME is not set: the name of the SageMaker endpoint to invoke"),
        ({"MAX_ROWS": "0"}, "MAX_ROWS='0': expected a whole number of at least 1"),
        ({"MAX_ROWS": "1.5"}, "MAX_ROWS='1.5': expected a whole number of at least 1"),
        ({"MAX_BODY_BYTES": "٣"}, "MAX_BODY_BYTES='٣': expected a whole number of at least 1"),
        ({"MAX_ATTEMPTS": "-1"}, "MAX_ATTEMPTS='-1': expected a whole number of at least 1"),
        ({"READ_TIMEOUT_SECONDS": "nan"}, "READ_TIMEOUT_SECONDS='nan': expected seconds above 0 and at most 900"),
        ({"READ_TIMEOUT_SECONDS": "soon"}, "READ_TIMEOUT_SECONDS='soon': expected seconds above 0 and at most 900"),
        ({"CONNECT_TIMEOUT_SECONDS": "0"}, "CONNECT_TIMEOUT_SECONDS='0': expected seconds above 0 and at most 900"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL='loud': expected one of DEBUG, INFO, WARNING, ERROR"),
        ({"DOCS_ENABLED": "yes"}, "DOCS_ENABLED='yes': expected true or false"),
    ],
)
def test_what_cannot_be_used_is_named(environ: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=f"^{re.escape(message)}$"):
        read({"ENDPOINT_NAME": "iris"} | environ if environ else {})


def test_each_setting_has_a_parser_and_a_variable_in_the_template() -> None:
    names = {field.name.upper() for field in fields(Settings)}

    assert set(PARSERS) == names
    assert set(FUNCTION.environment) - OTHERS == names - LOCAL


def test_the_templates_values_are_the_defaults_of_the_code() -> None:
    assert read(FUNCTION.environment) == Settings("iris")


def test_the_times_nest() -> None:
    """The endpoint's timeout, the function's, and API Gateway's 29 s with a cold start of up to three."""
    assert Settings("iris").read_timeout_seconds < FUNCTION.limits.timeout_seconds <= 29 - 3


def test_the_environment_is_read_nowhere_else() -> None:
    readers = {
        path.name
        for path in (ROOT / "invoker" / "invoker").glob("*.py")
        if any(
            isinstance(node, ast.Attribute) and node.attr == "environ" for node in ast.walk(ast.parse(path.read_text()))
        )
    }

    assert readers == {"app.py"}
