"""The events in events/, which `sam local invoke` and the tests share: each one's status through the whole chain."""

import json
from pathlib import Path
from typing import Any

EVENTS = Path(__file__).parent.parent / "events"

# With the iris example behind the endpoint, and the template's defaults.
EXPECTED = {
    "predict": 200,
    "predict-base64": 200,
    "predict-charset": 200,
    "predict-columns": 200,
    "predict-csv": 200,
    "predict-no-content-type": 200,
    "predict-proba": 200,
    "predict-rows": 200,
    "predict-traced": 200,
    "health": 200,
    "bad-base64": 400,
    "empty-body": 400,
    "not-json": 400,
    "strings": 400,
    "wrong-feature-count": 400,
    "docs-disabled": 404,
    "unknown-path": 404,
    "wrong-method": 405,
    "form": 415,
    "duplicate-key": 400,
    "empty-row": 400,
    "infinite": 400,
    "nan": 400,
    "nested-cell": 400,
    "no-data": 400,
    "no-rows": 400,
    "ragged-rows": 400,
    "too-many-rows": 400,
    "unknown-key": 400,
    "unknown-method": 400,
    "wrong-columns": 400,
    "wrong-shape": 400,
}
# Whatever the schema says, the container knows which formats it reads.
REFUSED_BY_THE_CONTAINER = ("form",)
REFUSED_BY_THE_FUNCTION = [name for name, status in EXPECTED.items() if status in {400, 405}]


def load(name: str) -> dict[str, Any]:
    """Return events/NAME.json."""
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event
