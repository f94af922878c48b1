"""Data made by code, the same in every run: a credit table of mixed types, a table of numbers, and short texts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.datasets import load_iris

MISSING_SHARE = 0.08
CATEGORIES = {
    "housing": ("own", "rent", "mortgage", "free"),
    "employment": ("salaried", "self-employed", "civil servant", "student", "retired", "unemployed"),
    "purpose": ("car", "home", "education", "business", "holiday", "medical", "furniture", "appliance"),
    "region": ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west", "centre"),
}
CREDIT_NUMBERS = ("age", "income", "amount", "duration", "debt_ratio", "late_payments")
NUMBERS = tuple(f"feature_{index}" for index in range(10))
VOCABULARY = 6_000
WORDS = (15, 60)
"""Words of a text: at least, and fewer than."""

Rows: TypeAlias = "pd.DataFrame | npt.NDArray[np.float64] | list[str]"
Make: TypeAlias = Callable[[int, int], Rows]
"""Makes so many rows from a seed."""


@dataclass(frozen=True, slots=True)
class Body:
    """Rows as a request holds them: Python values, None for what is missing; no columns where the model knows none."""

    columns: tuple[str, ...]
    data: list[list[Any]]


def body(rows: Rows) -> Body:
    if isinstance(rows, pd.DataFrame):
        return Body(tuple(rows.columns), rows.astype(object).where(rows.notna(), None).to_numpy().tolist())
    return Body((), [[text] for text in rows] if isinstance(rows, list) else rows.tolist())


def credit(count: int, seed: int) -> pd.DataFrame:
    """Make a table of 6 numeric and 4 categorical columns; in half of each kind a value may be missing."""
    random = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "age": random.integers(18, 80, count),
            "income": np.round(random.lognormal(10.4, 0.5, count), 2),
            "amount": np.round(random.lognormal(8.8, 0.8, count), 2),
            "duration": random.integers(6, 84, count),
            "debt_ratio": np.round(random.beta(2, 5, count), 4),
            "late_payments": random.poisson(0.7, count).astype(float),
            **{name: random.choice(values, count) for name, values in CATEGORIES.items()},
        }
    )
    for name in ("income", "debt_ratio", "late_payments", "employment", "purpose"):
        table.loc[random.random(count) < MISSING_SHARE, name] = None
    return table


def defaults(table: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Say which loans of a credit table are not paid back."""
    random = np.random.default_rng(len(table))
    score = np.log(table.amount / table.income.fillna(30_000)) + table.late_payments.fillna(1) + 3 * table.debt_ratio
    score += table.employment.map({"unemployed": 1.5, "student": 0.7}).fillna(0) + table.housing.eq("rent")
    labels: npt.NDArray[np.int64] = (score + random.normal(0, 1, len(table)) > 1).to_numpy().astype(np.int64)
    return labels


def numbers(count: int, seed: int) -> pd.DataFrame:
    """Make a table of 10 numeric columns."""
    cells = np.round(np.random.default_rng(seed).normal(0, 1, (count, len(NUMBERS))), 5)
    return pd.DataFrame(cells, columns=list(NUMBERS))


def target(table: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Make the value that a regression on `numbers` learns: not linear, and with noise."""
    cells = table.to_numpy()
    noise = np.random.default_rng(len(table)).normal(0, 0.3, len(table))
    value: npt.NDArray[np.float64] = (
        cells[:, 0] * cells[:, 1] + np.sin(2 * cells[:, 2]) + np.abs(cells[:, 3]) + cells[:, 4] + noise
    )
    return value


def texts(count: int, seed: int) -> list[str]:
    """Make texts whose words are as frequent as Zipf's law has it."""
    random = np.random.default_rng(seed)
    lengths = random.integers(*WORDS, count)
    ranks = np.minimum(random.zipf(1.3, lengths.sum()), VOCABULARY)
    words = iter([_word(rank) for rank in ranks])
    return [" ".join(next(words) for _ in range(length)) for length in lengths]


def _word(rank: int) -> str:
    """Spell a number with pronounceable syllables."""
    syllables = ""
    while rank:
        rank, digit = divmod(rank, 80)
        syllables += "bcdfghklmnprstvw"[digit % 16] + "aeiou"[digit // 16]
    return syllables + "n"


def likes(comments: list[str]) -> npt.NDArray[np.int64]:
    """Label texts by words in the middle of the vocabulary."""
    good = {_word(rank) for rank in range(5, 300, 2)}
    return np.array([int(2 * sum(word in good for word in text.split()) > len(text.split()) / 2) for text in comments])


def iris(count: int, seed: int) -> npt.NDArray[np.float64]:
    """Make rows of two features near those of the iris data."""
    random = np.random.default_rng(seed)
    cells = load_iris(return_X_y=True)[0][:, :2]
    chosen = cells[random.integers(len(cells), size=count)]
    rows: npt.NDArray[np.float64] = np.round(chosen * random.normal(1, 0.05, chosen.shape), 3)
    return rows
