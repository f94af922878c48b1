"""Trains an example model on real data that ships with scikit-learn, and writes it where the container looks for it.

    python serving-container/example/train.py iris --output DIR

DIR then holds model.pkl, and samples.csv: held-out rows with a header, which the model has not seen.
"""

import argparse
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils import Bunch

SEED = 0


@dataclass(frozen=True, slots=True)
class Example:
    """A data set, the features used of it, and the model for them."""

    load: Callable[[], Bunch]
    estimator: Any
    features: tuple[str, ...] = ()


EXAMPLES = {
    "iris": Example(
        load_iris,
        make_pipeline(StandardScaler(), LogisticRegression()),
        ("petal length (cm)", "petal width (cm)"),
    ),
    "breast-cancer": Example(load_breast_cancer, RandomForestClassifier(n_estimators=100, random_state=SEED)),
    "wine": Example(load_wine, HistGradientBoostingClassifier(random_state=SEED)),
    "digits": Example(load_digits, make_pipeline(StandardScaler(), SVC(random_state=SEED))),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("example", choices=EXAMPLES)
    parser.add_argument("--output", type=Path, required=True, help="directory for model.pkl and samples.csv")
    arguments = parser.parse_args()
    accuracy = train(EXAMPLES[arguments.example], arguments.output)
    print(f"{arguments.example}: accuracy {accuracy:.3f} on held-out rows; {arguments.output / 'model.pkl'}")


def train(example: Example, output: Path) -> float:
    """Train, write the model and its samples to `output`, and return the accuracy on the held-out rows."""
    data = example.load()
    names = [str(name) for name in data.feature_names]
    used = [names.index(name) for name in example.features or names]
    labels = data.target_names[data.target]
    table = pd.DataFrame(data.data[:, used], columns=[names[index] for index in used])
    rows, held_out, targets, expected = train_test_split(
        table, labels, test_size=0.25, stratify=labels, random_state=SEED
    )
    model = example.estimator.fit(rows, targets)
    output.mkdir(parents=True, exist_ok=True)
    (output / "model.pkl").write_bytes(pickle.dumps(model))
    held_out.to_csv(output / "samples.csv", index=False)
    return float(model.score(held_out, expected))


if __name__ == "__main__":
    main()
