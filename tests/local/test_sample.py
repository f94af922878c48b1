"""What is printed to be tried, of real models with their samples."""

import json
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer

from local.sample import FLOWERS, find_sample, main
from local.sample_request import Sample
from predictor.worker.loading import load
from tests.local import sample_models
from tests.local.sample_models import Save

MADE_UP = '{"data": [[1,1,1]], "columns": ["a","b","c"]}'


def sample(directory: Path) -> Sample:
    return find_sample(load(directory), directory)


def test_the_example_is_tried_with_flowers(iris_model: Path) -> None:
    assert sample(iris_model) == Sample(FLOWERS)


@pytest.mark.parametrize(
    ("save", "body"),
    [
        (sample_models.text, '{"data": [["a bad day"]]}'),
        (sample_models.digits, '{"data": [["2","94110",0]], "columns": ["size","zip","age"]}'),
        (sample_models.nameless_digits, '{"data": [["2"]]}'),
        (sample_models.own_step, '{"data": [[0,20.5]], "columns": ["age","bmi"]}'),
        (sample_models.numbers, '{"data": [[0,1.5,0]], "columns": ["a","b","c"]}'),
    ],
)
def test_a_row_of_samples_as_the_model_takes_it(save: Save, body: str, tmp_path: Path) -> None:
    save(tmp_path / "model")

    assert sample(tmp_path / "model") == Sample(body)


@pytest.mark.parametrize(
    ("save", "refusal"),
    [
        (
            sample_models.with_target,
            (
                ' does not fit the model: 400 Wrong columns: unknown "target". The model\'s columns: "a", "b", "c". '
                'Send rows such as {"columns": ["a", "b", "c"], "data": [[1, 1, 1]]}.'
            ),
        ),
        (
            sample_models.with_index,
            ": its first column has no name; write it without its index: to_csv(index=False)",
        ),
    ],
)
def test_samples_that_do_not_fit_are_said_to(save: Save, refusal: str, tmp_path: Path) -> None:
    save(tmp_path / "model")

    file = tmp_path / "model" / "samples.csv"
    assert sample(tmp_path / "model") == Sample(MADE_UP, f"{file}{refusal}")


def test_what_the_model_fails_with_is_said(tmp_path: Path) -> None:
    sample_models.own_step(tmp_path / "model")
    file = tmp_path / "model" / "samples.csv"
    file.write_text("age,weight\n1,2\n")

    refusal = sample(tmp_path / "model").refusal
    assert refusal.startswith(f"{file} does not fit the model: 400 The model refuses the rows: ")
    assert "None of [Index(['bmi'], dtype='str')] are in the [columns]" in refusal


def test_a_row_is_made_up_where_there_are_no_samples(tmp_path: Path) -> None:
    sample_models.numbers(tmp_path / "model")
    (tmp_path / "model" / "samples.csv").unlink()

    assert sample(tmp_path / "model") == Sample(MADE_UP)


def test_two_numbers_are_not_taken_for_flowers(tmp_path: Path) -> None:
    joblib.dump(LogisticRegression().fit(np.eye(2), [0, 1]), tmp_path / "model.joblib")

    assert sample(tmp_path) == Sample('{"data": [[1,1]]}')


def test_no_row_is_made_up_that_the_model_refuses(tmp_path: Path) -> None:
    above_one = make_pipeline(SplineTransformer(extrapolation="error"), LogisticRegression())
    joblib.dump(above_one.fit([[2.0], [3.0], [4.0]], [0, 1, 1]), tmp_path / "model.joblib")

    assert sample(tmp_path) == Sample()


def test_functions_of_ones_own_are_asked_as_well(tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.mkdir()
    code.joinpath("inference.py").write_text(
        "def model_fn(model_dir): return None\ndef predict_fn(rows, model): return [row[0] for row in rows.tolist()]\n"
    )
    (tmp_path / "samples.csv").write_text("a,b\n1,2\n3,4\n")

    # A DataFrame has no tolist.
    assert sample(tmp_path) == Sample('{"data": [[1,2]]}')


def test_a_type_that_is_trusted_is_loaded(tmp_path: Path) -> None:
    sample_models.own_step_in_skops(tmp_path / "model")
    file = tmp_path / "sample.json"

    main([str(tmp_path / "model"), str(file)], {"SERVING_TRUSTED_TYPES": "tests.local.bmi.Bmi"})

    assert Sample(**json.loads(file.read_text())) == Sample('{"data": [[0,20.5]], "columns": ["age","bmi"]}')


@pytest.mark.parametrize(
    ("environ", "failure"),
    [({}, "tests.local.bmi.Bmi"), ({"SERVING_THREADS": "many"}, "SERVING_THREADS")],
    ids=["untrusted", "mistyped"],
)
def test_why_a_model_does_not_load_is_handed_over(
    environ: dict[str, str], failure: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    sample_models.own_step_in_skops(tmp_path / "model")

    main([str(tmp_path / "model"), str(tmp_path / "sample.json")], environ)

    assert failure in json.loads((tmp_path / "sample.json").read_text())["failure"]
    assert capfd.readouterr() == ("", "")


def test_a_body_has_a_cell_for_each_feature_whether_it_is_answered_or_not(tmp_path: Path) -> None:
    above_one = make_pipeline(SplineTransformer(extrapolation="error"), LogisticRegression())
    joblib.dump(above_one.fit([[2.0, 2.0], [3.0, 3.0], [4.0, 5.0]], [0, 1, 1]), tmp_path / "model.joblib")

    found = sample(tmp_path)

    assert (found.body, found.form, found.features) == ("", '{"data": [[1,1]]}', (("0", "numeric"), ("1", "numeric")))
