"""Trees that vote, answered without going down any of them.

A leaf is a box: it takes an interval of each feature. The thresholds of a feature, of all trees together, cut its
numbers into intervals, and for each there is a row of bits: which leaves take it. A row ends in the leaves that take
all its numbers: the bits of its intervals, ANDed. Then the bits are counted, for each leaf is for one class alone.

Bits of leaves, ANDed feature by feature, are the idea of QuickScorer (Lucchese et al., SIGIR 2015,
https://doi.org/10.1145/2766462.2767733). Looked up by interval, NumPy does it for many rows at once, in a fifth of the
time that the trees take: a processor cannot foresee the way down a tree. The work grows with leaves times features, so
it is for small forests; boxes_forest.py says for which, and makes the table.
"""

import base64
import io
from dataclasses import dataclass
from itertools import pairwise
from zipfile import ZipFile

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

PARTS = 1024
"""Equal parts between a feature's lowest and highest threshold: a number's interval is looked up by its part first."""
TINY = 1e-300
"""A range that is not wider is one part: to divide by it would overflow."""
MAX_BYTES = 2**24
"""Of bits."""
CHUNK = 256
"""Rows at once: what is made of more does not stay in the processor's cache."""
MAX_WORDS = 2**16
"""That are looked at for one row: of CHUNK rows they take 128 MiB."""
LEAST_INTERVALS = 2
"""Of a feature: one for numbers, one for what is missing."""
KINDS = [("i8", 1), ("i8", 1), ("f8", 1), ("u8", 2), ("f8", 2), ("f8", 1)]
"""Types and dimensions of a table's arrays."""


@dataclass(frozen=True, slots=True)
class Table:
    """Which leaves take which numbers.

    The intervals of a feature are in ascending order, and then comes one for what is missing; features follow one
    another.
    """

    columns: Places
    """Columns of the features that any tree asks for, shape (features,)."""
    starts: Places
    """The first interval of each feature, and the end of the last's, shape (features + 1,)."""
    ends: Doubles
    """The threshold that ends each interval and belongs to it, else infinity, shape (intervals,)."""
    bits: npt.NDArray[np.uint64]
    """Shape (intervals, words). No word has leaves of two classes."""
    ballots: Doubles
    """What a leaf in each word adds to the votes of each class, shape (words, classes)."""
    base: Doubles
    """Votes before any leaf is counted, shape (classes,): all, for one class."""

    def written(self) -> str:
        """Make text of it."""
        file = io.BytesIO()
        np.savez_compressed(file, **{name: getattr(self, name) for name in self.__slots__})
        return base64.b64encode(file.getvalue()).decode()


def read(text: str, features: int) -> Table:
    """Read what `Table.written` has made, for rows of so many features; raises ValueError when it is something else."""
    packed = io.BytesIO(base64.b64decode(text))
    with ZipFile(packed) as archive:
        if sum(member.file_size for member in archive.infolist()) > 2 * MAX_BYTES:
            raise ValueError("a table that is too large")
    with np.load(packed, allow_pickle=False) as file:
        table = Table(**file)
    if not _is_sound(table, features):
        raise ValueError("a table of leaves that does not fit together")
    return table


def _is_sound(table: Table, features: int) -> bool:
    arrays = [getattr(table, name) for name in table.__slots__]
    if [(array.dtype.str[1:], array.ndim) for array in arrays] != KINDS or not len(table.columns):
        return False
    intervals, words = table.bits.shape
    ends_meet = len(table.starts) == len(table.columns) + 1 and table.starts[0] == 0 and table.starts[-1] == intervals
    fits = len(table.ends) == intervals and table.ballots.shape == (words, len(table.base))
    columns_exist = len(table.columns) <= features and table.columns.min() >= 0 and table.columns.max() < features
    if not (ends_meet and fits and columns_exist) or np.diff(table.starts).min() < LEAST_INTERVALS:
        return False
    votes = bool(np.isin(table.ballots, (-1, 0, 1)).all() and (table.base >= 0).all() and table.base.sum() > 0)
    return votes and len(table.columns) * words <= MAX_WORDS and all(map(_ascends, _thresholds(table)))


def _thresholds(table: Table) -> list[Doubles]:
    """Thresholds of each feature."""
    return [table.ends[start : end - 2] for start, end in pairwise(table.starts)]


def _ascends(thresholds: Doubles) -> bool:
    return bool(np.isfinite(thresholds).all() and (np.diff(thresholds) > 0).all())


class Boxes:
    """Looks rows up in a table.

    In which part of its feature's range a number lies is computed; how many thresholds are below that part is known,
    and those in it are searched by halves.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        thresholds = _thresholds(table)
        ranges = [(ends[0], ends[-1]) if len(ends) else (0.0, 0.0) for ends in thresholds]
        self._lowest, self._highest = np.array(ranges).T[:, :, np.newaxis]
        width = self._highest - self._lowest
        self._scale = (PARTS - 1) / np.where(width > TINY, width, 1.0)
        parts = [self._parts(ends, slice(place, place + 1))[0] for place, ends in enumerate(thresholds)]
        most = max(int(np.bincount(each, minlength=1).max()) for each in parts)
        self._halves = [2**power for power in reversed(range(max(most, 1).bit_length()))]
        padding = [np.inf] * self._halves[0]  # where a search looks beyond its feature's last threshold
        self._ends = np.concatenate([[*ends, *padding] for ends in thresholds])
        starts = np.cumsum([0, *(len(ends) + len(padding) for ends in thresholds)])[:-1]
        self._below = np.concatenate(
            [start + each.searchsorted(np.arange(PARTS)) for start, each in zip(starts, parts, strict=True)]
        )
        self._first_parts = np.arange(len(parts))[:, np.newaxis] * PARTS
        self._shifts = (table.starts[:-1] - starts)[:, np.newaxis]
        self._missing = table.starts[1:, np.newaxis] - 1

    def shares(self, rows: npt.NDArray[np.float32]) -> Doubles:
        """Find which share of the trees is for each class; rows of shape (rows, features), answers (rows, classes)."""
        shares = np.concatenate([self._votes(rows[start : start + CHUNK]) for start in range(0, len(rows), CHUNK)])
        shares /= self._table.base.sum()
        return shares

    def _votes(self, rows: npt.NDArray[np.float32]) -> Doubles:
        table = self._table
        leaves = np.bitwise_and.reduce(table.bits.take(self._intervals(rows), axis=0), axis=0)
        counted: Doubles = np.bitwise_count(leaves).astype(np.float64) @ table.ballots
        counted += table.base
        return counted

    def _intervals(self, rows: npt.NDArray[np.float32]) -> Places:
        """Find the interval of each number, shape (features, rows)."""
        numbers = rows.T.take(self._table.columns, axis=0).astype(np.float64)
        missing = np.isnan(numbers)
        holed = missing.any()
        if holed:
            numbers[missing] = 0
        found = self._below.take(self._parts(numbers) + self._first_parts)
        for half in self._halves:
            found += (numbers > self._ends.take(found + (half - 1))) * half
        found += self._shifts
        if holed:
            np.copyto(found, self._missing, where=missing)
        return found

    def _parts(self, numbers: Doubles, features: slice = slice(None)) -> Places:
        """Find the part of each number; of a feature, a lower number's part is never above a higher number's."""
        within = np.clip(numbers, self._lowest[features], self._highest[features])
        within -= self._lowest[features]
        within *= self._scale[features]
        return within.astype(np.intp)
