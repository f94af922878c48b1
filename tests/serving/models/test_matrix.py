"""The matrix of models and tables: a slice in the suite, all of it by `make test-models`."""

import os
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightgbm
import pytest
import xgboost

from tests.serving.models import matrix, matrix_answers
from tests.serving.models.matrix_answers import Counts

WHOLE = "MATRIX" in os.environ
SLICE = ("LogisticRegression", "DecisionTreeRegressor", "KMeans")
ALL = sorted(matrix.estimators()) if WHOLE else SLICE
BOOSTERS: dict[str, tuple[str, Any]] = {
    "XGBClassifier": ("classifier", xgboost.XGBClassifier(n_estimators=3, n_jobs=1)),
    "XGBRegressor": ("regressor", xgboost.XGBRegressor(n_estimators=3, n_jobs=1)),
    "LGBMClassifier": ("classifier", lightgbm.LGBMClassifier(n_estimators=3, n_jobs=1, verbose=-1)),
    "LGBMRegressor": ("regressor", lightgbm.LGBMRegressor(n_estimators=3, n_jobs=1, verbose=-1)),
}
try:
    import catboost  # type: ignore[import-not-found]  # a package that the project's environment need not have
except ImportError:
    pass
else:
    FEW = {"iterations": 3, "verbose": 0, "allow_writing_files": False, "thread_count": 1}
    BOOSTERS |= {
        "CatBoostClassifier": ("classifier", catboost.CatBoostClassifier(**FEW)),
        "CatBoostRegressor": ("regressor", catboost.CatBoostRegressor(**FEW)),
    }
TOTAL = Counts()


@pytest.fixture(scope="module", autouse=True)
def totals() -> Iterator[None]:
    """Print what became of all bodies, where somebody asks for the whole."""
    yield
    if WHOLE:
        print(f"\n{TOTAL.tried} models: {dict(TOTAL.found)}, wrong: {len(TOTAL.wrong)}")  # noqa: T201  # the report


def judge(found: Iterator[matrix.Case], save: Any = matrix_answers.as_pickle) -> None:
    counts = Counts()
    with warnings.catch_warnings(action="ignore"):  # of estimators that the library is about to remove
        for case in found:
            with tempfile.TemporaryDirectory() as directory:
                counts.add(matrix_answers.tried(case, Path(directory), save))
    TOTAL.add(counts)
    assert not counts.wrong, "\n".join(counts.wrong)


@pytest.mark.parametrize("name", ALL)
def test_scikit_learns_estimators_answer_as_they_do_themselves(name: str) -> None:
    judge(matrix.cases(*matrix.estimators()[name], wrapped=WHOLE))


@pytest.mark.parametrize("name", BOOSTERS if WHOLE else ["LGBMRegressor"])
def test_boosters_answer_as_they_do_themselves(name: str) -> None:
    judge(matrix.cases(*BOOSTERS[name], wrapped=WHOLE))


@pytest.mark.parametrize(
    "name", [name for name in BOOSTERS if name.endswith("Regressor")] if WHOLE else ["LGBMRegressor"]
)
def test_files_of_the_boosters_own_libraries(name: str) -> None:
    alone = (case for case in matrix.cases(*BOOSTERS[name], wrapped=False) if not hasattr(case.model, "steps"))
    judge(alone, matrix_answers.as_own_file)


@pytest.mark.parametrize("name", ALL if WHOLE else ["Ridge"])
def test_skops_files_answer_as_their_models_do(name: str) -> None:
    judge(matrix.cases(*matrix.estimators()[name], wrapped=False), matrix_answers.as_skops)


@pytest.mark.parametrize("name", ["LogisticRegression", "DecisionTreeClassifier", "Ridge"] if WHOLE else ["Ridge"])
def test_compiled_models_answer_as_their_originals_do(name: str) -> None:
    found = matrix.cases(*matrix.estimators()[name], wrapped=False)
    judge((case for case in found if WHOLE or case.name == "numbers, alone"), matrix_answers.as_onnx)


@pytest.mark.parametrize("table", ["numbers", "mixed", "texts"])
def test_every_wrapper_hands_on_what_its_model_takes(table: str) -> None:
    judge(matrix.wrappers(*matrix.estimators()["LogisticRegression"], table))


def test_every_refusal_is_a_known_limit() -> None:
    limits = (Path(__file__).parents[3] / "docs" / "known-limits.md").read_text()

    assert [limit for limit in matrix_answers.LIMITS.values() if f"| {limit} |" not in limits] == []
