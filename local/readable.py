"""The parts' log lines as a person reads them: `python -m local.readable` copies its stdin, a request a line.

The parts write JSON lines, as on AWS. What is no JSON is copied as it is.
"""

import json
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any

QUIET = frozenset({"debug", "info"})
# Fields that say when and where a line was written.
ABOUT = frozenset(
    {"function_name", "level", "location", "message", "request_id", "service", "time", "timestamp", "traceparent"}
)
MAX_VALUE = 300


def readable(line: str) -> str:
    """Return the line for a person, empty where it holds nothing for one."""
    try:
        record = json.loads(line)
    except ValueError:
        return line
    if not isinstance(record, dict):
        return line
    if "_aws" in record:
        # Metrics, which CloudWatch reads out of the log.
        return ""
    if record.get("service") == "invoker" and record.get("message") == "request":
        return _request(record)
    level = str(record.get("level", "")).lower()
    if level in QUIET:
        return ""
    fields = {name: value for name, value in record.items() if name not in ABOUT}
    return f"{level}: {record.get('message')}{_fields(fields)}"


def _request(record: Mapping[str, Any]) -> str:
    now = datetime.now().astimezone().strftime("%H:%M:%S")
    rows = f"{record['rows']} {'row' if record['rows'] == 1 else 'rows'}  " if record.get("rows") else ""
    outcome = "" if record.get("outcome") == "ok" else f"  {record.get('outcome')}"
    spent = record.get("milliseconds", {}).get("total", 0)
    return f"{now}  {record.get('route')}  {record.get('status')}  {rows}{spent:.0f} ms{outcome}"


def _fields(fields: Mapping[str, Any]) -> str:
    shown = []
    for name, value in fields.items():
        text = value if isinstance(value, str) else json.dumps(value)
        # A traceback is many lines, and read as such.
        shown.append(f"\n{text}" if "\n" in text else f"  {name}={text[:MAX_VALUE]}")
    return "".join(shown)


def main() -> None:
    for line in sys.stdin:
        if shown := readable(line.rstrip("\n")):
            print(shown, flush=True)


if __name__ == "__main__":
    main()
