"""Forests whose leaves are looked up answer as their trees do, to the last bit."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.datasets import make_classification
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from predictor.models.shortcuts import boxes, boxes_forest
from predictor.models.shortcuts.boxes import CHUNK, Boxes

Rows = npt.NDArray[np.float32]

RANDOM = np.random.default_rng(0)
ROWS, CLASSES = make_classification(300, 6, n_informative=5, n_redundant=0, n_classes=3, random_state=0)
TAILS = np.sinh(6 * ROWS)
"""Most numbers are in a millionth of their range."""
WHOLE = np.round(ROWS)
HOLED = np.where(RANDOM.random(ROWS.shape) < 0.2, np.nan, ROWS)
MARKED = np.where((CLASSES == 1)[:, np.newaxis], np.nan, ROWS)
"""Nodes have infinity for a threshold: what is missing goes the other way."""
ONE = np.where(ROWS > 0, 7.0, -7.0)
"""Each feature has one threshold."""


def forest(
    rows: Any, classes: Any = CLASSES, kind: type = RandomForestClassifier, trees: int = 30, **given: Any
) -> Any:
    return kind(trees, random_state=0, **given).fit(rows, classes)


FORESTS = {
    "three classes": (forest(ROWS), ROWS),
    "two classes": (forest(ROWS, CLASSES == 1), ROWS),
    "a class that is seldom": (forest(ROWS, np.arange(300) == 7), ROWS),
    "random thresholds": (forest(ROWS, kind=ExtraTreesClassifier), ROWS),
    "weights": (forest(ROWS, class_weight={0: 1, 1: 2, 2: 4}), ROWS),
    "heavy tails": (forest(TAILS), TAILS),
    "whole numbers": (forest(WHOLE, WHOLE[:, 0] > WHOLE[:, 1]), WHOLE),
    "missing numbers": (forest(HOLED), HOLED),
    "a class that is told by what is missing": (forest(MARKED), MARKED),
    "nothing else is told": (forest(MARKED * 0, CLASSES == 1), MARKED * 0),
    "one threshold a feature": (forest(ONE, ONE[:, 0] > ONE[:, 1]), ONE),
    "features that nothing asks for": (forest(np.hstack([0 * ROWS, ROWS, 0 * ROWS])), np.hstack([ROWS, ROWS, ROWS])),
    "vast and tiny numbers": (forest(ROWS * [1e37, 1e-37, 1e-44, 1e20, 1, 1]), ROWS * [1e37, 1e-37, 1e-44, 1e20, 1, 1]),
}


def read(model: Any) -> Boxes:
    table = boxes_forest.read(model)
    assert table
    return Boxes(table)


def shares(model: Any, rows: Rows) -> npt.NDArray[np.float64]:
    """What the trees say, one after the other."""
    total = np.zeros((len(rows), len(model.classes_)))
    for member in model.estimators_:
        total += member.tree_.predict(rows)
    return total / len(model.estimators_)


def at_thresholds(model: Any, rows: Any) -> Rows:
    """Rows with a feature at a threshold of the forest, or next to it on either side."""
    nodes = [(member.tree_.feature, member.tree_.threshold) for member in model.estimators_]
    features, thresholds = (np.concatenate(parts) for parts in zip(*nodes, strict=True))
    features, thresholds = features[features >= 0], thresholds[features >= 0].astype(np.float32)
    many: Rows = rows[RANDOM.integers(len(rows), size=len(features))].astype(np.float32)
    towards = RANDOM.choice(np.array([-np.inf, np.inf], np.float32), len(many))
    beside = np.where(RANDOM.random(len(many)) < 0.5, thresholds, np.nextafter(thresholds, towards))
    many[np.arange(len(many)), features] = beside
    return many


def strange(rows: Any) -> Rows:
    """Rows with cells that training rows do not have."""
    many: Rows = np.repeat(rows, 3, axis=0).astype(np.float32)
    cells = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e38, -1e38, 1e-45], np.float32)
    np.copyto(many, RANDOM.choice(cells, many.shape), where=RANDOM.random(many.shape) < 0.3)
    return many


@pytest.mark.parametrize(("model", "rows"), FORESTS.values(), ids=FORESTS)
def test_shares_are_what_the_trees_say(model: Any, rows: Any) -> None:
    subject = read(model)

    for asked in (rows.astype(np.float32), at_thresholds(model, rows), strange(rows)):
        np.testing.assert_array_equal(subject.shares(asked), shares(model, asked), strict=True)


@pytest.mark.parametrize("count", [1, 2, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_any_number_of_rows(count: int) -> None:
    model, rows = FORESTS["three classes"]
    asked = np.resize(rows, (count, 6)).astype(np.float32)

    np.testing.assert_array_equal(read(model).shares(asked), shares(model, asked), strict=True)


CELLS = st.sampled_from([-2.0, -1.0, 0.0, 0.5, 1.0, 1.0000001, 3.0, 1e6, float("nan")])


@settings(max_examples=30, deadline=None)
@given(
    st.data(),
    arrays.arrays(np.float32, (40, 3), elements=CELLS.map(np.float32)),
    arrays.arrays(np.int64, 40, elements=st.integers(0, 3)),
    st.sampled_from([RandomForestClassifier, ExtraTreesClassifier]),
)
def test_any_forest_of_rows_that_are_all_different(data: st.DataObject, rows: Rows, classes: Any, kind: type) -> None:
    rows, places = np.unique(rows, axis=0, return_index=True)
    model = forest(rows, classes[places], kind, trees=25)
    table = boxes_forest.read(model)
    asked = data.draw(arrays.arrays(np.float32, (20, 3), elements=CELLS.map(np.float32)))

    if table is None:
        assert len(set(classes[places])) == 1 or not is_pure(model)
    else:
        np.testing.assert_array_equal(Boxes(table).shares(asked), shares(model, asked), strict=True)


def is_pure(model: Any) -> bool:
    trees = [member.tree_ for member in model.estimators_]
    return all((tree.value[tree.children_left < 0].max(axis=2) == 1).all() for tree in trees)


def test_a_table_is_read_as_it_was_written() -> None:
    model, rows = FORESTS["missing numbers"]
    table = boxes_forest.read(model)
    assert table
    asked = strange(rows)

    np.testing.assert_array_equal(Boxes(boxes.read(table.written(), 6)).shares(asked), shares(model, asked))


WIDE, SIDES = make_classification(100, 300, n_informative=50, random_state=0)


def emptied(model: Any) -> Any:
    """A forest with a leaf that is for no class."""
    nodes = model.estimators_[3].tree_
    nodes.value[nodes.children_left < 0] *= np.arange(nodes.n_leaves)[:, np.newaxis, np.newaxis] > 0
    return model


def pruned(model: Any) -> Any:
    """A forest with a tree that is cut to its root, of which its other nodes are left over."""
    nodes = model.estimators_[3].tree_
    nodes.children_left[0] = nodes.children_right[0] = -1
    nodes.value[0] = [[1, 0, 0]]
    return model


def with_threshold(threshold: float) -> Any:
    model = forest(ROWS)
    model.estimators_[3].tree_.threshold[0] = threshold
    return model


def grown() -> Any:
    """A forest whose first trees know fewer classes than the others."""
    model = forest(ROWS[CLASSES == 1], CLASSES[CLASSES == 1], warm_start=True)
    return model.set_params(n_estimators=60).fit(ROWS, CLASSES)


@pytest.mark.parametrize(
    "model",
    [
        emptied(forest(ROWS)),
        pruned(forest(ROWS)),
        with_threshold(-np.inf),
        with_threshold(np.nan),
        grown(),
        forest(ROWS, max_depth=4),
        forest(ROWS, min_samples_leaf=3),
        forest(ROWS, np.zeros(300)),
        forest(ROWS, trees=2),
        forest(WIDE, SIDES),
    ],
    ids=[
        "a leaf for nothing",
        "pruned by hand",
        "minus infinity",
        "no threshold",
        "grown",
        "shallow",
        "shares in leaves",
        "one class",
        "few trees",
        "many features",
    ],
)
def test_forests_that_had_better_ask_their_trees(model: Any) -> None:
    assert boxes_forest.read(model) is None


def test_a_table_that_would_be_large_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    model, _ = FORESTS["three classes"]
    table = boxes_forest.read(model)
    assert table

    monkeypatch.setattr(boxes_forest, "MAX_BYTES", table.bits.nbytes)
    assert boxes_forest.read(model)
    monkeypatch.setattr(boxes_forest, "MAX_BYTES", table.bits.nbytes - 1)
    assert boxes_forest.read(model) is None


def test_thresholds_that_are_next_to_each_other() -> None:
    model, rows = FORESTS["three classes"]
    model = deepcopy(model)
    for member in model.estimators_:
        member.tree_.threshold[:] = np.where(member.tree_.feature == 2, np.sign(member.tree_.threshold) * 1e-320, 0.5)
    asked = strange(rows)

    np.testing.assert_array_equal(read(model).shares(asked), shares(model, asked))


NOT_TABLES: list[dict[str, Any]] = [
    {"columns": np.array([0, 1, 2, 3, 4, 6])},
    {"columns": np.array([0, 1, 2, 3, 4, -1])},
    {"columns": np.arange(5)},
    {"columns": np.arange(6.0)},
    {"starts": np.arange(7)},
    {"ends": np.full(9, np.inf)},
    {"bits": np.zeros((9, 2), np.uint64)},
    {"ballots": np.zeros((1, 3))},
    {"base": np.zeros(3)},
]


@pytest.mark.parametrize("changed", NOT_TABLES, ids="".join)
def test_what_is_no_table_is_refused(changed: dict[str, Any]) -> None:
    table = boxes_forest.read(FORESTS["three classes"][0])
    assert table

    with pytest.raises(ValueError, match="a table of leaves that does not fit together"):
        boxes.read(replace(table, **changed).written(), 6)
    with pytest.raises(ValueError, match="a table of leaves that does not fit together"):
        boxes.read(table.written(), 5)


@pytest.mark.parametrize("wrong", [2.0, 0.5, np.nan, np.inf, -2.0])
def test_votes_that_are_none_are_no_table(wrong: float) -> None:
    table = boxes_forest.read(FORESTS["three classes"][0])
    assert table
    ballots, base = table.ballots.copy(), table.base.copy()
    ballots[0, 0] = wrong
    base[0] = -abs(wrong)

    for changed in (replace(table, ballots=ballots), replace(table, base=base)):
        with pytest.raises(ValueError, match="does not fit together"):
            boxes.read(changed.written(), 6)


def test_a_table_that_would_take_all_memory_is_refused_before_it_is_unpacked() -> None:
    table = boxes_forest.read(FORESTS["three classes"][0])
    assert table

    with pytest.raises(ValueError, match="a table that is too large"):
        boxes.read(replace(table, base=np.zeros(2**22 + 1)).written(), 6)


def test_a_table_of_which_a_row_would_take_too_much_is_neither_made_nor_read(monkeypatch: pytest.MonkeyPatch) -> None:
    forest = FORESTS["three classes"][0]
    table = boxes_forest.read(forest)
    assert table
    words = len(table.columns) * len(table.ballots)

    for module in (boxes, boxes_forest):
        monkeypatch.setattr(module, "MAX_WORDS", words)
    assert boxes_forest.read(forest) is not None
    assert boxes.read(table.written(), 6) is not None
    for module in (boxes, boxes_forest):
        monkeypatch.setattr(module, "MAX_WORDS", words - 1)
    assert boxes_forest.read(forest) is None
    with pytest.raises(ValueError, match="does not fit together"):
        boxes.read(table.written(), 6)


def test_thresholds_that_do_not_ascend_are_no_table() -> None:
    table = boxes_forest.read(FORESTS["three classes"][0])
    assert table

    for wrong in (table.ends[::-1], np.where(np.arange(len(table.ends)) == 3, np.inf, table.ends)):
        with pytest.raises(ValueError, match="does not fit together"):
            boxes.read(replace(table, ends=wrong).written(), 6)


def test_trees_of_very_many_leaves_are_not_gone_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boxes_forest, "MAX_LEAVES", 10)

    assert boxes_forest.read(FORESTS["three classes"][0]) is None
