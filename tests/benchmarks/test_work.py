import numpy as np
import pandas as pd
import pytest

from benchmarks import data
from benchmarks.work import FREE, MODELS, Model, Work, pool, works


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_thousands_of_rows_differ(model: Model) -> None:
    for work in works(model):
        rows = pool(model, work.rows)
        assert len(rows) >= 4096
        assert len(set(map(str, data.body(rows).data))) > 0.99 * len(rows) or model.name == "iris"


def test_the_credit_table_has_ten_columns_of_which_four_are_categories_with_missing_values() -> None:
    table = data.credit(8_000, 0)

    assert (table.shape, len(data.CATEGORIES)) == ((8_000, 10), 4)
    missing = table.isna().mean()
    assert set(missing[missing > 0].index) == {"income", "debt_ratio", "late_payments", "employment", "purpose"}
    assert 0.1 < data.defaults(table).mean() < 0.9


@pytest.mark.parametrize("make", [data.credit, data.numbers, data.texts, data.iris])
def test_rows_are_equal_from_run_to_run(make: data.Make) -> None:
    one, again, other = (data.body(make(50, seed)) for seed in (1, 1, 2))

    assert one == again
    assert one != other


def test_a_body_holds_null_for_what_is_missing() -> None:
    table = pd.DataFrame({"number": [1.5, np.nan], "word": ["a", None]})

    assert data.body(table) == data.Body(("number", "word"), [[1.5, "a"], [None, None]])


def test_bodies_are_the_pool_in_turn() -> None:
    questions = Work(MODELS[2], 100, 32).questions()

    assert len(questions) == 128
    assert {len(question.data) for question in questions} == {100}
    assert questions[:2] == Work(MODELS[2], 100, 32).questions(2)


def test_the_free_model_is_asked_by_the_most_clients_only() -> None:
    assert [(work.rows, work.clients) for work in works(FREE, [(1, 1), (1, 32), (100, 32)])] == [(1, 32), (100, 32)]
