"""Bodies decoded as the container decodes them: the rows, or why there are none."""

import json
from typing import Any

import pytest

from predictor.errors import BadInputError
from predictor.formats.registry import decode
from predictor.inputs.rows import Signature

JSON = "application/json"
PAIRS = Signature(features=2)


def rows(body: Any, signature: Signature = PAIRS, content_type: str = JSON) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    found: Any = decode(content, content_type, signature).rows
    return found.tolist()


def refusal(body: Any, signature: Signature = PAIRS, content_type: str = JSON) -> BadInputError:
    with pytest.raises(BadInputError) as refused:
        rows(body, signature, content_type)
    return refused.value
