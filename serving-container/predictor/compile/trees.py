"""Tree ensembles of scikit-learn, read into arrays of nodes whose leaves add to one target each.

scikit-learn's trees and forests compare float32 features with double thresholds, so features are to be rounded first;
histogram gradient boosting compares doubles.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn import ensemble
from sklearn.dummy import DummyClassifier, DummyRegressor

Doubles = npt.NDArray[np.float64]
LEAF = -1
BINARY = 2


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree whose leaves add their weight to one target each: arrays over its nodes, `left` being LEAF at a leaf."""

    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    feature: npt.NDArray[np.int64]
    threshold: Doubles
    missing_left: npt.NDArray[np.bool]
    weight: Doubles
    target: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ensemble:
    """What an estimator computes: base + the sum of its trees / divisor, one value a target."""

    trees: list[Tree]
    base: Doubles
    divisor: int = 1
    link: str = ""
    """What makes probabilities, or a prediction, of it: nothing, Sigmoid, Softmax or Exp."""
    rounds: bool = True
    """Whether features are rounded to float32 before they are compared."""
    tie_is_positive: bool = False
    """Whether a decision of exactly 0 is the second class."""


def read(estimator: Any) -> Ensemble:
    """Read a fitted estimator; raises NotImplementedError when ONNX has no such thing."""
    if getattr(estimator, "n_outputs_", 1) != 1:
        raise NotImplementedError("a tree ensemble of several outputs")
    if hasattr(estimator, "_predictors"):
        return _histogram(estimator)
    if isinstance(estimator, ensemble.GradientBoostingClassifier | ensemble.GradientBoostingRegressor):
        return _boosting(estimator)
    return _forest(estimator)


def thresholds(estimator: Any) -> Iterator[tuple[int, float]]:
    """Feature and threshold of every node of a tree ensemble; of another estimator, nothing."""
    if hasattr(estimator, "tree_") or hasattr(estimator, "estimators_") or hasattr(estimator, "_predictors"):
        try:
            trees = read(estimator).trees
        except (NotImplementedError, AttributeError):
            return
        for item in trees:
            inner = item.left != LEAF
            yield from zip(item.feature[inner].tolist(), item.threshold[inner].tolist(), strict=True)


def _forest(estimator: Any) -> Ensemble:
    """Read a tree, or the mean of trees: leaves hold the mean target, or the share of each class."""
    members = getattr(estimator, "estimators_", [estimator])
    classes = len(getattr(estimator, "classes_", ()))
    trees: list[Tree] = []
    for member in members:
        values = member.tree_.value[:, 0, :]
        if not classes:
            trees.append(_tree(member.tree_, values[:, 0], 0))
            continue
        shares = values / values.sum(axis=1, keepdims=True)
        trees += [_tree(member.tree_, shares[:, 1], 0)] if classes == BINARY else _of_shares(member.tree_, shares)
    # Divided at the end, as scikit-learn does: shares of whole trees add up exactly, and so do ties.
    return Ensemble(trees, np.zeros(1 if classes <= BINARY else classes), divisor=len(members))


def _of_shares(nodes: Any, shares: Doubles) -> Iterator[Tree]:
    """Split a tree of several classes: one tree for the largest share of each leaf, one for the second largest, ...

    A leaf of a fully grown tree has one class, so that the first tree is mostly all there is.
    """
    order = np.argsort(-shares, axis=1, kind="stable")
    leaf = nodes.children_left == LEAF
    for rank in range(int((shares[leaf] > 0).sum(axis=1).max())):
        weight = np.where(leaf, np.take_along_axis(shares, order, axis=1)[:, rank], 0.0)
        yield _pruned(_tree(nodes, weight, order[:, rank]))


def _pruned(item: Tree) -> Tree:
    """Make a leaf of every node below which nothing is added; children have higher numbers than their parent."""
    left, right, weight = item.left.copy(), item.right.copy(), item.weight
    adds = weight != 0
    for node in np.flatnonzero(left != LEAF)[::-1]:
        adds[node] = adds[left[node]] or adds[right[node]]
        if not adds[node]:
            left[node] = right[node] = LEAF
    return replace(item, left=left, right=right)


def _boosting(estimator: Any) -> Ensemble:
    classes = len(getattr(estimator, "classes_", ()))
    features = np.zeros((1, estimator.n_features_in_))
    base = estimator._raw_predict_init(features)[0]  # noqa: SLF001  # constant for the init estimators that are read
    if not isinstance(estimator.init_, str | DummyClassifier | DummyRegressor):
        raise NotImplementedError("gradient boosting that starts from another estimator")
    trees = [
        _tree(member.tree_, estimator.learning_rate * member.tree_.value[:, 0, 0], target)
        for stage in estimator.estimators_
        for target, member in enumerate(stage)
    ]
    if classes and estimator.loss != "log_loss":
        raise NotImplementedError(f"gradient boosting with the loss {estimator.loss}")
    link = "" if not classes else "Sigmoid" if classes == BINARY else "Softmax"
    return Ensemble(trees, base, link=link, tie_is_positive=True)


def _histogram(estimator: Any) -> Ensemble:
    links = {"HalfBinomialLoss": "Sigmoid", "HalfMultinomialLoss": "Softmax", "HalfPoissonLoss": "Exp"}
    links |= {"HalfGammaLoss": "Exp", "HalfSquaredError": "", "AbsoluteError": "", "PinballLoss": ""}
    loss = type(estimator._loss).__name__  # noqa: SLF001  # its only name for the link
    if loss not in links:
        raise NotImplementedError(f"gradient boosting with the loss {loss}")
    trees = [
        _histogram_tree(member.nodes, target)
        for stage in estimator._predictors  # noqa: SLF001  # its only home
        for target, member in enumerate(stage)
    ]
    base = np.ravel(estimator._baseline_prediction)  # noqa: SLF001  # has no public name
    return Ensemble(trees, base, link=links[loss], rounds=False)


def _tree(nodes: Any, weight: Doubles, target: int | npt.NDArray[np.int64]) -> Tree:
    missing = np.asarray(nodes.missing_go_to_left, dtype=bool)
    targets = np.broadcast_to(target, weight.shape)
    return Tree(nodes.children_left, nodes.children_right, nodes.feature, nodes.threshold, missing, weight, targets)


def _histogram_tree(nodes: Any, target: int) -> Tree:
    if nodes["is_categorical"].any():
        raise NotImplementedError("gradient boosting on categorical features")
    left = np.where(nodes["is_leaf"], LEAF, nodes["left"].astype(np.int64))
    right = np.where(nodes["is_leaf"], LEAF, nodes["right"].astype(np.int64))
    missing = nodes["missing_go_to_left"].astype(bool)
    targets = np.full(len(nodes), target)
    return Tree(left, right, nodes["feature_idx"], nodes["num_threshold"], missing, nodes["value"], targets)
