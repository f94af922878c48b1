"""What `make run` says that a model takes."""

from pathlib import Path
from typing import Any

import pytest

from local.banner import Served, takes
from local.sample_request import Sample

ANY = {"type": ["string", "number", "boolean", "null"], "x-type": "unknown"}
NUMBER = {"type": ["number", "boolean"], "x-type": "numeric"}


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"x-kind": "table"}, "takes rows; it does not say of which features."),
        ({"x-kind": "table", "properties": {"city": ANY}}, "takes rows of 1 feature:\n\n    city  any value"),
        (
            {"x-kind": "table", "prefixItems": [NUMBER, NUMBER]},
            "takes rows of 2 features:\n\n    0  number\n    1  number",
        ),
    ],
)
def test_what_a_model_takes(schema: dict[str, Any], said: str) -> None:
    assert takes(Served(Path("my model"), Sample(), schema)) == f"The model in my model {said}\n"
