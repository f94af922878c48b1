"""The table of boxes.py, made of a forest of scikit-learn.

Only of a classifier whose leaves are each for one class, as they are in trees that are fully grown: there the trees
vote, and votes are whole numbers, which add up to the same in any order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from predictor.models.shortcuts.boxes import MAX_BYTES, MAX_WORDS, Doubles, Places, Table

Flags = npt.NDArray[np.bool]

LEAF = -1
WORD = 64
"""Leaves whose bits are in one word."""
LOOKUP = 16
"""What it takes to find a number's interval, in words of bits that can be ANDed meanwhile."""
LEVEL = 4
"""Half of what one level of a tree takes, in the same unit: boxes are for forests that they make twice as fast."""
MAX_LEAVES = 3000
"""Of a tree, on average: with more it is clear at once that the trees are faster."""


@dataclass(frozen=True, slots=True)
class Nodes:
    """The nodes of all trees; each array has an element a node, but `roots`."""

    roots: Places
    left: Places
    right: Places
    feature: Places
    threshold: Doubles
    missing_left: Flags

    @property
    def inner(self) -> Places:
        return np.flatnonzero(self.left != LEAF)

    @property
    def leaves(self) -> Places:
        return np.flatnonzero(self.left == LEAF)


@dataclass(frozen=True, slots=True)
class Splits:
    """What all inner nodes ask for."""

    columns: Places
    """Columns that any of them asks for, shape (features,)."""
    thresholds: list[Doubles]
    """Finite ones of each feature, ascending."""
    feature: Places
    """Of each node, its place in `columns`."""
    interval: Places
    """Of each node, the last one of its feature that goes left."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What gets to each node, shape (nodes, features): intervals from first to last, and whether what is missing."""

    first: npt.NDArray[np.int32]
    last: npt.NDArray[np.int32]
    missing: Flags


@dataclass(frozen=True, slots=True)
class Layout:
    """The leaves that have bits. Those of the commonest class have none: a tree that votes for no other is for it."""

    leaves: Places
    bits: Places
    """Of each leaf, where its bit is."""
    ballots: Doubles
    base: Doubles


def read(forest: Any) -> Table | None:
    """Make the table of a fitted classifier of one output; None of one that had better ask its trees."""
    trees = [member.tree_ for member in forest.estimators_]
    leaves = sum(tree.n_leaves for tree in trees)
    if len({tree.value.shape[1:] for tree in trees}) != 1 or leaves > MAX_LEAVES * len(trees):
        return None
    nodes = _joined(trees)
    columns = np.unique(nodes.feature[nodes.inner])
    classes = trees[0].value.shape[2]
    words = LEVEL * len(trees) * np.log2(leaves / len(trees)) // max(len(columns), 1) - LOOKUP  # that can be afforded
    if not _are_sound(nodes) or not 0 < classes - 1 <= words:
        return None
    votes = _votes(trees)
    layout = None if votes is None else _layout(nodes.leaves, votes, classes, len(trees))
    if not layout or len(layout.ballots) > words:
        return None
    splits = _splits(nodes, columns)
    counts = np.array([len(thresholds) + 2 for thresholds in splits.thresholds])
    if counts.sum() * len(layout.ballots) * WORD // 8 > MAX_BYTES or len(columns) * len(layout.ballots) > MAX_WORDS:
        return None
    return Table(
        columns=columns,
        starts=np.cumsum([0, *counts]),
        ends=np.concatenate([[*thresholds, np.inf, np.inf] for thresholds in splits.thresholds]),
        bits=_bits(_limits(nodes, splits), counts, layout),
        ballots=layout.ballots,
        base=layout.base,
    )


def _joined(trees: Sequence[Any]) -> Nodes:
    sizes = [tree.node_count for tree in trees]
    roots = np.cumsum([0, *sizes[:-1]])
    starts = np.repeat(roots, sizes)

    def joined(name: str) -> npt.NDArray[Any]:
        return np.concatenate([getattr(tree, name) for tree in trees])

    left, right = joined("children_left"), joined("children_right")
    return Nodes(
        roots=roots,
        left=np.where(left == LEAF, LEAF, left + starts),
        right=np.where(left == LEAF, LEAF, right + starts),
        feature=joined("feature"),
        threshold=joined("threshold"),
        missing_left=joined("missing_go_to_left").astype(bool),
    )


def _are_sound(nodes: Nodes) -> bool:
    """Whether they are as training leaves them: all are reached, and every number goes left or right."""
    all_are_children = len(nodes.roots) + 2 * len(nodes.inner) == len(nodes.left)
    return all_are_children and bool((nodes.threshold[nodes.inner] > -np.inf).all())


def _votes(trees: Sequence[Any]) -> Places | None:
    """Find for which class each leaf is; None when one is not for one class alone."""
    votes = []
    for tree in trees:
        shares = tree.value[tree.children_left == LEAF, 0]
        if not np.isin(shares, (0, 1)).all() or (shares.sum(axis=1) != 1).any():
            return None
        votes.append(shares.argmax(axis=1))
    return np.concatenate(votes)


def _layout(leaves: Places, votes: Places, classes: int, trees: int) -> Layout:
    """Give leaves their bits, each class from a new word on."""
    commonest = np.bincount(votes).argmax()
    members = {k: leaves[votes == k] for k in range(classes) if k != commonest}
    words = {k: -(-len(members[k]) // WORD) for k in members}
    starts = dict(zip(words, np.cumsum([0, *words.values()]) * WORD, strict=False))
    ballots = np.repeat(np.eye(classes)[list(words)], list(words.values()), axis=0)
    ballots[:, commonest] = -1
    base = np.zeros(classes)
    base[commonest] = trees
    bits = [starts[k] + np.arange(len(members[k])) for k in members]
    return Layout(np.concatenate([*members.values()]), np.concatenate(bits), ballots, base)


def _splits(nodes: Nodes, columns: Places) -> Splits:
    feature, interval = np.zeros_like(nodes.feature), np.zeros_like(nodes.feature)
    thresholds = []
    for place, column in enumerate(columns):
        own = nodes.feature == column
        found, interval[own] = np.unique(nodes.threshold[own], return_inverse=True)
        feature[own] = place
        thresholds.append(found[found < np.inf])  # of infinity, what is missing goes right and all else goes left
    return Splits(columns, thresholds, feature, interval)


def _limits(nodes: Nodes, splits: Splits) -> Limits:
    """Go down all trees at once, a level at a time: a child takes what its parent takes, and sends its way."""
    shape = len(nodes.left), len(splits.columns)
    last = np.broadcast_to([len(thresholds) for thresholds in splits.thresholds], shape).astype(np.int32)
    limits = Limits(np.zeros(shape, np.int32), last, np.ones(shape, bool))
    level = nodes.roots
    while (parents := level[nodes.left[level] != LEAF]).size:
        left, right = nodes.left[parents], nodes.right[parents]
        for taken in (limits.first, limits.last, limits.missing):
            taken[left] = taken[right] = taken[parents]
        feature, interval, missing_left = splits.feature[parents], splits.interval[parents], nodes.missing_left[parents]
        limits.last[left, feature] = np.minimum(limits.last[left, feature], interval)
        limits.first[right, feature] = np.maximum(limits.first[right, feature], interval + 1)
        limits.missing[left, feature] &= missing_left
        limits.missing[right, feature] &= ~missing_left
        level = np.concatenate([left, right])
    return limits


def _bits(limits: Limits, counts: Places, layout: Layout) -> npt.NDArray[np.uint64]:
    """Set the bit of each leaf in the intervals that it takes; `counts` are the intervals of each feature."""
    width = len(layout.ballots) * WORD
    found = []
    for feature, count in enumerate(counts):
        first, last, missing = np.ones(width, np.int32), np.zeros(width, np.int32), np.zeros(width, bool)
        for bits, limit in ((first, limits.first), (last, limits.last), (missing, limits.missing)):
            bits[layout.bits] = limit[layout.leaves, feature]
        intervals = np.arange(count - 1, dtype=np.int32)[:, np.newaxis]
        taken = np.vstack([(first <= intervals) & (intervals <= last), missing])
        found.append(np.packbits(taken, axis=1).view(np.uint64))
    return np.concatenate(found)
