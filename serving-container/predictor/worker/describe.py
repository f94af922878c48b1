"""`python -m predictor describe MODEL_DIR`: print the model's schema.json.

load -> schema -> examples from samples.csv -> JSON on stdout
"""

import hashlib
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from predictor.errors import PredictorError
from predictor.formats.registry import decode
from predictor.inputs.conversion import is_missing
from predictor.inputs.rows import Columns
from predictor.inputs.schema import Schema
from predictor.inputs.schema_json import to_json
from predictor.models.base import Options
from predictor.models.loading import find
from predictor.worker.loading import load
from predictor.worker.user_code import UserCode

SAMPLES = "samples.csv"
EXAMPLES = 3
"""Examples of a feature."""


def main(model_dir: Path, options: Options) -> int:
    """Print the schema, or on stderr why there is none; return the exit code."""
    try:
        with redirect_stdout(sys.stderr):  # the model's own code may print
            text = json.dumps(document(model_dir, options), indent=2, ensure_ascii=False, default=str)
    except PredictorError as error:
        print(error.detail, file=sys.stderr)  # noqa: T201  # what the command prints
        return 1
    print(text)  # noqa: T201  # as above
    return 0


def document(model_dir: Path, options: Options) -> dict[str, Any]:
    """The schema.json of a model's folder; raises PredictorError."""
    model = load(model_dir, options)
    if isinstance(model, UserCode):
        raise PredictorError(
            f"{model_dir} has functions of its own, and only they know what they take: write schema.json by hand "
            '(docs/schema.md), such as {"x-kind": "json", "type": "object"}.'
        )
    written = to_json(model.schema, model_dir.resolve().name)
    for position, values in _examples(model_dir / SAMPLES, model.schema).items():
        items = written["properties"] if model.schema.names else written["prefixItems"]
        items[model.schema.names[position] if model.schema.names else position]["examples"] = values
    digest = hashlib.sha256(find(model_dir).read_bytes()).hexdigest()
    return written | {"x-model": f"sha256:{digest}"}


def _examples(samples: Path, schema: Schema) -> dict[int, list[Any]]:
    """A few values of each feature that may be shown, from the owner's samples."""
    if not samples.is_file() or schema.features is None:
        return {}
    rows: Any = decode(samples.read_bytes(), "text/csv; header=present", schema).rows
    table = rows.table() if isinstance(rows, Columns) else rows
    columns = enumerate(zip(*table.tolist(), strict=True))
    return {
        at: [value for value in dict.fromkeys(column) if not is_missing(value)][:EXAMPLES] for at, column in columns
    }
