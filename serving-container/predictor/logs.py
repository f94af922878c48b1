"""Log lines on stdout: one JSON object each."""

import logging
import sys
import time

import orjson

log = logging.getLogger("predictor")
QUIET_SECONDS = 10.0
FIRST, LAST = 2_000, 6_000
"""Characters of a long traceback that are logged: its beginning, and its end, where the cause stands."""


class JsonFormatter(logging.Formatter):
    """One JSON object a line; `extra={"fields": {...}}` adds to it."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{record.msecs:03.0f}Z",
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = _cut(self.formatException(record.exc_info))
        return orjson.dumps(line, default=str).decode()


def _cut(text: str) -> str:
    if len(text) > FIRST + LAST:
        text = f"{text[:FIRST]}\n... {len(text) - FIRST - LAST} characters left out ...\n{text[-LAST:]}"
    return text.encode(errors="replace").decode()  # half a surrogate pair is no JSON


def configure_logging(level: str) -> None:
    """Send every logger of the process, and Python's warnings, to stdout as JSON lines."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(capture=True)


class RateLimitedWarning:
    """Logs a warning at most once every `QUIET_SECONDS`."""

    def __init__(self) -> None:
        self._until = 0.0

    def __call__(self, message: str) -> None:
        now = time.monotonic()
        if now >= self._until:
            self._until = now + QUIET_SECONDS
            log.warning(message)
