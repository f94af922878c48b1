"""CSV of many lines without quotes is split at once: what comes of it is what comes of it line by line."""

import random
from typing import Any

import pytest

from predictor.errors import BadInputError
from predictor.formats import csv
from predictor.formats.media_types import MediaType
from predictor.formats.registry import decode
from predictor.inputs.rows import Columns
from predictor.inputs.schema import Feature, FeatureType, Schema

SCHEMA = Schema(
    features=(
        Feature("age", FeatureType.NUMERIC, nullable=True),
        Feature("size", FeatureType.NUMERIC, nullable=False),
        Feature("job", FeatureType.CATEGORICAL, dtype="object", nullable=True, categories=("a", "b")),
        Feature("day", FeatureType.DATETIME, dtype="datetime64[ns]", nullable=True),
        Feature("any", FeatureType.UNKNOWN, nullable=None),
    )
)
HEADER = "job,age,size,any,day"
ROW = ("a", "1.5", "2", "x", "2024-01-31")
ODD = {
    0: ["", "b", "ü", " a "],
    1: [
        "",
        "nan",
        "inf",
        " 3 ",
        "1_000",
        "true",
        "-0",
        "1e5",
        "9007199254740993",
        "9007199254740994",
        "x",
        "٣",
        "1e999",
    ],
    2: ["", "0", "nan", "-inf", "x", "."],
    3: ["", "1", "007", "y"],
    4: ["", "2024-02-30", "2024-01-31T12:00:00Z"],
}


def read(body: bytes) -> Any:
    try:
        rows = decode(body, "text/csv; header=present", SCHEMA).rows
    except BadInputError as error:
        return error.detail, error.errors
    assert isinstance(rows, Columns)
    return [(array.dtype.str, list(map(repr, array.tolist()))) for array in rows.arrays]


def bodies() -> list[bytes]:
    chance = random.Random(5)
    found = []
    for _ in range(150):
        rows = [list(ROW) for _ in range(chance.randint(1, 6))]
        for _ in range(chance.randint(0, 2)):
            column = chance.randrange(5)
            rows[chance.randrange(len(rows))][column] = chance.choice(ODD[column])
        if chance.random() < 0.2:
            del rows[-1][-1]
        if chance.random() < 0.1:
            rows[0].append("z")
        end = chance.choice(["\n", "\n", "\r\n", "\n\n", "\r"])
        text = end.join([HEADER, *map(",".join, rows)]) + chance.choice(["", end])
        found.append(text.encode(chance.choice(["utf-8", "utf-8", "utf-8-sig", "latin-1"]), "replace"))
    return found


def test_either_way_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = [read(body) for body in bodies()]
    monkeypatch.setattr(csv, "MANY", 0)
    split = [csv._split(body, MediaType("text/csv", {"header": "present"}), SCHEMA) for body in bodies()]  # noqa: SLF001

    assert [read(body) for body in bodies()] == slow
    assert 20 < sum(each is not None for each in split) < 120
