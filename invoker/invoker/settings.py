"""What an operator may set, read once from the environment. The template sets each; docs: README, "Settings"."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

AUTHS = ("api_key", "iam", "cognito", "jwt", "none")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
# Jobs need all of these.
JOBS = frozenset({"JOBS_TABLE", "JOBS_BUCKET", "JOBS_ENDPOINT_NAME"})
# The longest that a function may run.
LAMBDA_SECONDS = 900


class SettingsError(Exception):
    """Raise when a variable is missing or has a value that cannot be used; the message names it."""


@dataclass(frozen=True, slots=True)
class Settings:
    endpoint_name: str
    max_rows: int = 10_000
    # Lambda takes events of up to 6,291,456 bytes: the body, escaped as a JSON string, and its envelope.
    max_body_bytes: int = 6_000_000
    log_level: str = "INFO"
    connect_timeout_seconds: float = 2.0
    # Below the function's own timeout, which is below API Gateway's 29 s.
    read_timeout_seconds: float = 25.0
    max_attempts: int = 3
    # An origin such as https://example.com, or * for any; empty: no CORS headers.
    cors_origin: str = ""
    # Whether GET /openapi.json and GET /docs answer. The template opens their routes on the same condition.
    docs_enabled: bool = False
    # What the API asks callers for, as its OpenAPI document says: the template's Auth, or none.
    auth: str = "api_key"
    # Jobs: the table, the bucket, the asynchronous endpoint. Without a table there are no jobs.
    jobs_table: str = ""
    jobs_bucket: str = ""
    jobs_endpoint_name: str = ""
    # How long a job, its input and its answer are kept.
    jobs_retention_days: int = 7
    # Of one caller.
    jobs_max_open: int = 100
    jobs_gigabytes_per_day: int = 10
    # What the model takes; empty: the schema.json beside the function's modules, where there is one.
    schema_file: str = ""
    # Set by Lambda; a dimension of the metrics, so that stacks of one account have each their own.
    aws_lambda_function_name: str = "local"


def read(environ: Mapping[str, str]) -> Settings:
    """Raise SettingsError when ENDPOINT_NAME is missing or a value cannot be used; an empty value is the default."""
    if not environ.get("ENDPOINT_NAME"):
        raise SettingsError("ENDPOINT_NAME is not set: the name of the SageMaker endpoint to invoke")
    given = {name: text for name in PARSERS if (text := environ.get(name))}
    if given.keys() & JOBS and not given.keys() >= JOBS:
        raise SettingsError(f"{', '.join(sorted(JOBS - given.keys()))}: not set, and needed for jobs")
    return Settings(**{name.lower(): PARSERS[name](name, text) for name, text in given.items()})


def _text(_: str, text: str) -> str:
    return text


def _whole(name: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise SettingsError(f"{name}={text!r}: expected a whole number of at least 1")
    return int(text)


def _seconds(name: str, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= LAMBDA_SECONDS:
        raise SettingsError(f"{name}={text!r}: expected seconds above 0 and at most {LAMBDA_SECONDS}")
    return seconds


def _one_of(*allowed: str) -> Callable[[str, str], str]:
    def parse(name: str, text: str) -> str:
        if text not in allowed:
            raise SettingsError(f"{name}={text!r}: expected one of {', '.join(allowed)}")
        return text

    return parse


def _flag(name: str, text: str) -> bool:
    if text not in {"true", "false"}:
        raise SettingsError(f"{name}={text!r}: expected true or false")
    return text == "true"


PARSERS: Mapping[str, Callable[[str, str], Any]] = {
    "ENDPOINT_NAME": _text,
    "MAX_ROWS": _whole,
    "MAX_BODY_BYTES": _whole,
    "LOG_LEVEL": _one_of(*LOG_LEVELS),
    "CONNECT_TIMEOUT_SECONDS": _seconds,
    "READ_TIMEOUT_SECONDS": _seconds,
    "MAX_ATTEMPTS": _whole,
    "CORS_ORIGIN": _text,
    "DOCS_ENABLED": _flag,
    "AUTH": _one_of(*AUTHS),
    "JOBS_TABLE": _text,
    "JOBS_BUCKET": _text,
    "JOBS_ENDPOINT_NAME": _text,
    "JOBS_RETENTION_DAYS": _whole,
    "JOBS_MAX_OPEN": _whole,
    "JOBS_GIGABYTES_PER_DAY": _whole,
    "SCHEMA_FILE": _text,
    "AWS_LAMBDA_FUNCTION_NAME": _text,
}
