"""`python -m predictor compile`: what it proves, what it refuses, and what it leaves behind."""

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC

import predictor
from predictor import codecs
from predictor import compile as compiler
from predictor.compile import Options, compile_model
from predictor.compile_compare import compare
from predictor.compile_samples import Samples
from predictor.errors import CompileError
from predictor.model import Model, UserCode, load
from predictor.model_sklearn import wrap

IRIS = load_iris()
LABELS = IRIS.target_names[IRIS.target]


@pytest.fixture
def save(tmp_path: Path) -> Callable[[Any], Options]:
    def save(estimator: Any, **options: Any) -> Options:
        source = tmp_path / "model"
        source.mkdir()
        (source / "model.pkl").write_bytes(pickle.dumps(estimator))
        np.save(source / "samples.npy", IRIS.data)
        return Options(source, tmp_path / "compiled", **options)

    return save


def loaded(directory: Path) -> Model:
    model = load(directory)
    assert not isinstance(model, UserCode)
    return model


def refusal(options: Options) -> str:
    with pytest.raises(CompileError) as refused:
        list(compile_model(options))
    assert not list(options.output.glob("*.onnx"))
    return refused.value.detail


@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(StandardScaler(), LogisticRegression()),
        RandomForestClassifier(10, random_state=0),
        SVC(),
        KMeans(3, random_state=0, n_init=1),
        PCA(2),
        make_pipeline(SimpleImputer(), StandardScaler(), RandomForestClassifier(5, random_state=0)),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_the_compiled_model_serves_the_same_api(estimator: Any, save: Callable[..., Options]) -> None:
    options = save(estimator.fit(IRIS.data, LABELS))
    report = list(compile_model(options))
    original, compiled = loaded(options.model_dir), loaded(options.output)

    assert report[-1] == f"compiled: {options.output / 'model.onnx'}"
    assert [line for line in report if "times as fast" in line] == report[-3:-1]
    for name in ("features", "names", "methods", "text", "missing", "independent"):
        assert getattr(compiled.signature, name) == getattr(original.signature, name)
    for method in original.signature.methods:
        body = json.dumps({"data": IRIS.data.tolist(), "method": method}).encode()
        answers = []
        for model in (original, compiled):
            request = codecs.decode(body, None, model.signature)
            answers.append(json.loads(codecs.encode(model.predict(request.rows, method), "application/json").body))
        if isinstance(np.ravel(answers[0]["predictions"])[0], str):
            assert answers[0] == answers[1]
        else:
            np.testing.assert_allclose(answers[1]["predictions"], answers[0]["predictions"], rtol=1e-6, atol=1e-6)


def flats() -> pd.DataFrame:
    random = np.random.default_rng(0)
    cities = random.choice(["Bern", "Köln", "Rom"], 60)
    return pd.DataFrame(
        {"home town": cities, "size": random.normal(size=60), "rooms": random.integers(1, 9, 60), "id": range(60)}
    )


def test_named_columns_of_text_and_numbers(tmp_path: Path) -> None:
    frame = flats()
    columns = ColumnTransformer(
        [("t", OneHotEncoder(handle_unknown="ignore"), ["home town"]), ("n", StandardScaler(), ["size", "rooms"])]
    )
    model = make_pipeline(columns, RandomForestClassifier(5, random_state=0)).fit(
        frame, frame["size"] * frame["rooms"] > 0
    )
    model[-1].classes_ = np.array(["no", "yes"])
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    frame.to_csv(tmp_path / "samples.csv", index=False)

    list(compile_model(Options(tmp_path, tmp_path / "out")))

    compiled = loaded(tmp_path / "out")
    request = codecs.decode(b'[{"id": 1, "rooms": 3, "home town": "Rom", "size": 0.5}]', None, compiled.signature)
    assert compiled.signature.names == ("home town", "size", "rooms")
    row = pd.DataFrame({"home town": ["Rom"], "size": [0.5], "rooms": [3], "id": [1]})
    assert compiled.predict(request.rows, "predict").tolist() == model.predict(row).tolist()


@pytest.mark.parametrize("imputed", [["size"], ["size", "rooms"], []], ids=len)
def test_a_number_may_be_missing_where_the_model_takes_it_so(imputed: list[str], tmp_path: Path) -> None:
    frame = flats()[["size", "rooms"]]
    others = [name for name in frame if name not in imputed]
    columns = ColumnTransformer([("i", SimpleImputer(), imputed), ("s", StandardScaler(), others)])
    model = make_pipeline(columns, LogisticRegression()).fit(frame, np.where(frame["size"] > 0, "dear", "cheap"))
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    frame.assign(size=frame["size"].where(frame.index > 0) if imputed else 0).to_csv(
        tmp_path / "samples.csv", index=False
    )

    report = list(compile_model(Options(tmp_path, tmp_path / "out")))
    compiled = loaded(tmp_path / "out")

    assert any(line.startswith("predict: 60 rows missing: all alike") for line in report) == bool(imputed)
    assert compiled.signature.required == {list(frame).index(name) for name in others}
    rows = codecs.decode(b'{"data": [[%s, 2]]}' % (b"null" if imputed else b"1"), None, compiled.signature).rows
    expected = model.predict(pd.DataFrame([[np.nan if imputed else 1, 2]], columns=frame.columns))
    assert compiled.predict(rows, "predict").tolist() == expected.tolist()


def test_a_model_trained_with_names_compares_columns_by_name(tmp_path: Path) -> None:
    frame = load_iris(as_frame=True).data
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(LinearRegression().fit(frame, IRIS.target)))
    frame[frame.columns[::-1]].to_csv(tmp_path / "samples.csv", index=False)

    list(compile_model(Options(tmp_path, tmp_path / "out")))

    assert loaded(tmp_path / "out").signature.names == tuple(frame.columns)


def test_answers_beyond_the_tolerance_are_refused(save: Callable[..., Options]) -> None:
    options = save(SVC().fit(IRIS.data, LABELS), tolerance=1e-12)  # ONNX has support vectors in single precision only

    detail = refusal(options)

    assert "it does not answer the same: decision_function: 150 rows samples: " in detail
    assert "Without these methods it may be compiled: --methods predict." in detail


def test_methods_can_be_left_out(save: Callable[..., Options]) -> None:
    options = save(SVC().fit(IRIS.data, LABELS), tolerance=1e-12, methods=("predict",))
    list(compile_model(options))

    assert loaded(options.output).signature.methods == ("predict",)


def test_a_wrong_conversion_is_found_out(save: Callable[..., Options]) -> None:
    # Of neighbours equally far away, scikit-learn and skl2onnx's converter choose different ones.
    rows = np.round(IRIS.data)
    options = save(KNeighborsClassifier().fit(rows, LABELS))
    np.save(options.model_dir / "samples.npy", rows)

    assert "does not answer the same: " in refusal(options)


def squares(rows: Any) -> Any:
    return rows**2


@pytest.mark.parametrize(
    ("estimator", "detail"),
    [
        (make_pipeline(FunctionTransformer(squares), LogisticRegression(max_iter=2000)), "does not say what it takes"),
        (RandomForestClassifier(2), "class labels of type bool"),
    ],
)
def test_what_cannot_be_converted_is_refused_with_the_reason(
    estimator: Any, detail: str, save: Callable[..., Options]
) -> None:
    targets = IRIS.target > 0 if isinstance(estimator, RandomForestClassifier) else LABELS

    assert detail in refusal(save(estimator.fit(IRIS.data, targets)))


def test_samples_are_needed(save: Callable[..., Options]) -> None:
    options = save(PCA(2).fit(IRIS.data))
    (options.model_dir / "samples.npy").unlink()

    assert refusal(options).startswith(
        f"{options.model_dir} needs one file samples.* (.csv, .json, .jsonl, .npy, .npz)"
    )


def test_samples_are_validated_as_a_request_is(save: Callable[..., Options]) -> None:
    options = save(PCA(2).fit(IRIS.data))
    np.save(options.model_dir / "samples.npy", IRIS.data[:, :3])

    assert refusal(options).endswith("Wrong number of features: expected 4 features, got 3, in row 0.")


def test_a_directory_with_another_model_is_not_written_to(save: Callable[..., Options]) -> None:
    options = save(PCA(2).fit(IRIS.data))
    detail = refusal(Options(options.model_dir, options.model_dir))

    assert detail == f"{options.model_dir} already holds model.pkl: name an empty directory."


def test_a_compiled_model_may_be_compiled_over(save: Callable[..., Options]) -> None:
    options = save(PCA(2).fit(IRIS.data))

    assert list(compile_model(options))[-1] == list(compile_model(options))[-1]


def test_only_scikit_learn_models_are_compiled(save: Callable[..., Options]) -> None:
    options = save(PCA(2).fit(IRIS.data))
    list(compile_model(options))

    assert "holds no scikit-learn model" in refusal(Options(options.output, options.model_dir.parent / "again"))


class Off:
    """Answers as another model does, with something added."""

    def __init__(self, model: Model, added: Any) -> None:
        self.signature = model.signature
        self._model = model
        self._added = added

    def predict(self, rows: Any, method: str) -> Any:
        return self._model.predict(rows, method) + self._added

    def warm_up(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("added", "differing", "largest"),
    [(0, 0, 0), (1e-7, 0, 1e-7), (1e-5, 4, 1e-5), (np.array([0, 0, 2e-6, 0]), 1, 2e-6), (np.nan, 4, 0)],
)
def test_differences_are_counted_and_measured(added: Any, differing: int, largest: float) -> None:
    model = wrap(LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0]), Path("model.pkl"))
    samples = Samples([[0.0], [0.25], [0.5], [1.0]])

    found = compare("predict", samples, model, Off(model, added), 1e-6)

    assert (found.rows, found.differing) == (4, differing)
    assert found.largest == pytest.approx(largest, rel=1e-6, abs=1e-15)


def test_another_kind_of_answer_differs() -> None:
    model = wrap(LogisticRegression().fit([[0.0], [1.0]], [0, 1]), Path("model.pkl"))

    assert compare("predict", Samples([[0.0], [1.0]]), model, Off(model, 0.0), 1e-6).differing == 2


def test_the_command_reports_and_fails_with_a_code(
    save: Callable[..., Options], capsys: pytest.CaptureFixture[str]
) -> None:
    options = save(PCA(2).fit(IRIS.data))

    assert compiler.main([str(options.model_dir), "--output", str(options.output)]) == 0
    assert capsys.readouterr().out.startswith("transform: 150 rows samples: all alike, largest difference ")
    assert compiler.main([str(options.model_dir), "--output", str(options.model_dir)]) == 1
    assert capsys.readouterr().out.startswith("not compiled: ")


def test_the_example_compiles(tmp_path: Path) -> None:
    root = Path(predictor.__file__).parents[1]
    train = [sys.executable, "example/train.py", "breast-cancer", "--output", str(tmp_path / "model")]
    compile_it = [
        sys.executable,
        "-m",
        "predictor",
        "compile",
        str(tmp_path / "model"),
        "--output",
        str(tmp_path / "out"),
    ]

    trained = subprocess.run(train, cwd=root, capture_output=True, text=True, check=True)
    compiled = subprocess.run(compile_it, cwd=root, capture_output=True, text=True, check=True)

    assert trained.stdout.startswith("breast-cancer: accuracy 0.9")
    assert "predict: 2000 rows at thresholds: all alike, largest difference 0" in compiled.stdout.splitlines()
    assert loaded(tmp_path / "out").signature.features == 30
