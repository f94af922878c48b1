"""Bodies decoded as the container decodes them: the rows, or why there are none."""

import json
from typing import Any

import pytest

from predictor.errors import BadInputError
from predictor.formats.registry import decode
from predictor.inputs.rows import Columns
from predictor.inputs.schema import Schema
from tests.serving.schemas import a_schema

JSON = "application/json"
PAIRS = a_schema(2)


def rows(body: Any, schema: Schema = PAIRS, content_type: str = JSON) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    found: Any = decode(content, content_type, schema).rows
    return found.table().tolist() if isinstance(found, Columns) else found.tolist()


def refusal(body: Any, schema: Schema = PAIRS, content_type: str = JSON) -> BadInputError:
    with pytest.raises(BadInputError) as refused:
        rows(body, schema, content_type)
    return refused.value
