"""`python -m predictor compile`: what it proves, what it refuses, and what it leaves behind."""

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, VotingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder, StandardScaler
from sklearn.svm import SVC

import predictor
from predictor.compile import command as compiler
from predictor.compile.command import Options, compile_model
from predictor.errors import CompileError
from predictor.formats import registry
from predictor.models.base import Model
from predictor.worker.loading import load
from predictor.worker.user_code import UserCode

IRIS = load_iris()
LABELS = IRIS.target_names[IRIS.target]


@pytest.fixture
def save(tmp_path: Path) -> Callable[[Any], Options]:
    def save(estimator: Any, **options: Any) -> Options:
        source = tmp_path / "model"
        source.mkdir()
        (source / "model.pkl").write_bytes(pickle.dumps(estimator))
        np.save(source / "samples.npy", IRIS.data)
        return Options(source, tmp_path / "compiled", **{"even_if_slower": True, **options})

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
    assert [line for line in report if "times as fast" in line] == report[-5:-1]
    for name in ("width", "names", "methods", "text", "required", "independent"):
        assert getattr(compiled.schema, name) == getattr(original.schema, name)
    for method in original.schema.methods:
        body = json.dumps({"data": IRIS.data.tolist(), "method": method}).encode()
        answers = []
        for model in (original, compiled):
            request = registry.decode(body, None, model.schema)
            answers.append(json.loads(registry.encode(model.predict(request.rows, method), "application/json").body))
        if isinstance(np.ravel(answers[0]["predictions"])[0], str):
            assert answers[0] == answers[1]
        else:
            np.testing.assert_allclose(answers[1]["predictions"], answers[0]["predictions"], rtol=1e-6, atol=1e-6)


def test_answers_beyond_the_tolerance_are_refused(save: Callable[..., Options]) -> None:
    options = save(SVC().fit(IRIS.data, LABELS), tolerance=1e-12)  # ONNX has support vectors in single precision only

    detail = refusal(options)

    assert "it does not answer the same: decision_function: 150 rows samples: " in detail
    assert "Without these methods it may be compiled: --methods predict." in detail


def test_methods_can_be_left_out(save: Callable[..., Options]) -> None:
    options = save(SVC().fit(IRIS.data, LABELS), tolerance=1e-12, methods=("predict",))
    list(compile_model(options))

    assert loaded(options.output).schema.methods == ("predict",)


def test_a_wrong_conversion_is_found_out(save: Callable[..., Options]) -> None:
    # Of neighbours equally far away, scikit-learn and skl2onnx's converter choose different ones.
    rows = np.round(IRIS.data)
    options = save(KNeighborsClassifier().fit(rows, LABELS))
    np.save(options.model_dir / "samples.npy", rows)

    assert "does not answer the same: " in refusal(options)


def squares(rows: Any) -> Any:
    return rows**2


def test_what_cannot_be_converted_is_refused_with_the_reason(save: Callable[..., Options]) -> None:
    estimator = make_pipeline(FunctionTransformer(squares), LogisticRegression(max_iter=2000)).fit(IRIS.data, LABELS)

    assert "does not say what it takes" in refusal(save(estimator))


def test_a_graph_that_does_not_run_is_not_called_damaged(save: Callable[..., Options]) -> None:
    model = VotingRegressor([("a", make_pipeline(OrdinalEncoder(), LinearRegression())), ("b", Ridge())])
    detail = refusal(save(model.fit(IRIS.data, IRIS.target)))

    assert detail.startswith("in double precision, what skl2onnx makes of it does not run: ")
    assert "damaged" not in detail
    assert "/tmp" not in detail


@pytest.mark.parametrize("estimator", [RandomForestClassifier(5), LogisticRegression(max_iter=1000)], ids=str)
def test_labels_that_are_true_and_false(estimator: Any, save: Callable[..., Options]) -> None:
    options = save(estimator.fit(IRIS.data, IRIS.target > 0))
    list(compile_model(options))

    found = loaded(options.output).predict(IRIS.data, "predict")
    assert found.tolist() == estimator.predict(IRIS.data).tolist()
    assert found.dtype == bool


def test_several_outputs(save: Callable[..., Options]) -> None:
    estimator = MultiOutputClassifier(LogisticRegression()).fit(IRIS.data, IRIS.data[:, :2] > [5.8, 3])
    options = save(estimator)
    list(compile_model(options))

    for method in ("predict", "predict_proba"):
        original, compiled = (loaded(each).predict(IRIS.data, method) for each in (options.model_dir, options.output))
        np.testing.assert_allclose(compiled.astype(float), original.astype(float), atol=1e-9)


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


def test_the_command_reports_and_fails_with_a_code(
    save: Callable[..., Options], capsys: pytest.CaptureFixture[str]
) -> None:
    options = save(PCA(2).fit(IRIS.data))

    assert compiler.main([str(options.model_dir), "--even-if-slower", "--output", str(options.output)]) == 0
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first == "converting and comparing, in double precision"
    assert second.startswith("transform: 150 rows samples: all alike, largest difference ")
    assert compiler.main([str(options.model_dir), "--output", str(options.model_dir)]) == 1
    assert capsys.readouterr().out.startswith("not compiled: ")


def test_an_output_that_cannot_be_written_is_said(
    save: Callable[..., Options], capsys: pytest.CaptureFixture[str]
) -> None:
    options = save(PCA(2).fit(IRIS.data))
    file = options.model_dir / "samples.npy"

    for output in (file, file / "below"):
        assert compiler.main([str(options.model_dir), "--even-if-slower", "--output", str(output)]) == 1
        reason = "File exists" if output == file else "Not a directory"
        assert capsys.readouterr().out.splitlines()[-1] == f"not compiled: {output}: {reason}"


def test_samples_in_the_output_stay(save: Callable[..., Options]) -> None:
    options = save(PCA(2).fit(IRIS.data))
    list(compile_model(options))
    samples = options.output / "samples.npy"

    list(compile_model(replace(options, samples=samples)))

    np.testing.assert_array_equal(np.load(samples), IRIS.data)


def test_types_of_a_skops_file_that_are_trusted(
    save: Callable[..., Options], capsys: pytest.CaptureFixture[str]
) -> None:
    estimator = HistGradientBoostingClassifier(max_iter=3).fit(IRIS.data, LABELS)
    options = save(estimator)
    (options.model_dir / "model.pkl").unlink()
    skops.io.dump(estimator, options.model_dir / "model.skops")
    arguments = [str(options.model_dir), "--even-if-slower", "--output", str(options.output)]

    assert compiler.main(arguments) == 1
    needed = capsys.readouterr().out.partition("SERVING_TRUSTED_TYPES=")[2].partition(" ")[0]
    assert compiler.main(arguments, tuple(needed.split(","))) == 0


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
    assert loaded(tmp_path / "out").schema.width == 30
