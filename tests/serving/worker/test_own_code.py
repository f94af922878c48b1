"""A model's own functions as scripts for AWS's toolkits are written: what they get and what they give."""

import asyncio
import io
import json
import pickle
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors

from predictor.errors import BadInputError, ModelLoadError, PredictionError, PredictorError
from predictor.formats.registry import Payload
from predictor.models.base import Options
from predictor.worker.loading import load
from predictor.worker.user_code import UserCode
from tests.serving.processes import JSON, serving


@pytest.fixture(autouse=True)
def modules_as_before() -> Iterator[None]:
    """Programs are imported as in a process of their own."""
    path = sys.path.copy()
    yield
    sys.path[:] = path
    sys.modules.pop("inference", None)


def loaded(directory: Path, program: str, options: Options = Options()) -> UserCode:
    (directory / "code").mkdir(exist_ok=True)
    (directory / "code" / "inference.py").write_text(textwrap.dedent(program))
    code = load(directory, options)
    assert isinstance(code, UserCode)
    return code


def respond(code: UserCode, body: bytes, content_type: str = "application/json", accept: str | None = None) -> Payload:
    return asyncio.run(code.respond(body, content_type, accept))


MODEL = "def model_fn(model_dir): return None\n"


def predicting(statement: str) -> str:
    return f"import numpy as np\nimport pandas as pd\n{MODEL}def predict_fn(data, model):\n    {statement}\n"


@pytest.mark.parametrize(
    ("statement", "detail"),
    [
        ("raise ValueError('no field text')", "ValueError: no field text"),
        ("return {}['text']", "KeyError: 'text'"),
        ("import json; json.loads('{')", "JSONDecodeError: Expecting property name"),
        ("raise OSError('cannot identify image file')", "OSError: cannot identify image file"),
    ],
)
def test_what_input_fn_raises_about_the_body_is_a_400(statement: str, detail: str, tmp_path: Path) -> None:
    code = loaded(tmp_path, f"{MODEL}def input_fn(body, content_type):\n    {statement}\ndef predict_fn(d, m): ...")

    with pytest.raises(BadInputError) as refused:
        respond(code, b"{}")

    assert refused.value.status == 400
    assert refused.value.detail.startswith(f"input_fn of the model's own code refuses the body: {detail}")


@pytest.mark.parametrize("statement", ["no_such_name", "import no_such_module", "open('/no/such/file')", "exit(3)"])
def test_what_no_body_is_to_blame_for_is_a_500(statement: str, tmp_path: Path) -> None:
    program = f"import sys\nexit = sys.exit\n{MODEL}def input_fn(b, c):\n    {statement}\ndef predict_fn(d, m): ..."

    with pytest.raises(PredictionError):
        respond(loaded(tmp_path, program), b"{}")


@pytest.mark.parametrize("status", [400, 418, 451, 499, 503, 520, 529, 599])
def test_any_status_from_400_to_599_reaches_the_caller(status: int, tmp_path: Path) -> None:
    program = f"class Own(Exception): status_code = {status}\n" + predicting("raise Own('so it is')")

    with pytest.raises(PredictorError) as failed:
        respond(loaded(tmp_path, program), b"[[1]]")

    assert (failed.value.status, failed.value.detail) == (status, "so it is")


@pytest.mark.parametrize(
    ("statement", "body"),
    [
        ("return [('a', 'b'), ('c',)]", {"predictions": [["a", "b"], ["c"]]}),
        ("return [('a', 1), ('b', 2.5)]", {"predictions": [["a", 1], ["b", 2.5]]}),
        ("return [True, 2, 'x']", {"predictions": [True, 2, "x"]}),
        ("return (row for row in [1, 2])", {"predictions": [1, 2]}),
        ("return [{'tag': 'a'}, {'tag': 'b'}]", {"predictions": [{"tag": "a"}, {"tag": "b"}]}),
        ("return {'class': 'a', 'shares': np.ones(2)}", {"class": "a", "shares": [1, 1]}),
        ("return [np.arange(2), np.arange(3)]", {"predictions": [[0, 1], [0, 1, 2]]}),
        ("return pd.Series([1, None, 2])", {"predictions": [1, None, 2]}),
        ("return pd.DataFrame({'a': [1], 'b': ['x']})", {"predictions": [[1, "x"]]}),
        ("return 0.5", {"predictions": 0.5}),
        ("return 'yes'", {"predictions": "yes"}),
    ],
)
def test_any_prediction_is_written_as_it_is(statement: str, body: Any, tmp_path: Path) -> None:
    assert json.loads(respond(loaded(tmp_path, predicting(statement)), b"[[1]]").body) == body


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("pass", "returned None: return the prediction"),
        ("return b'png'", "returned bytes: write output_fn"),
        ("return {1, 2}", "of type set"),
        ("return object()", "of type object"),
    ],
)
def test_what_cannot_be_written_is_named(statement: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(PredictionError, match=told):
        respond(loaded(tmp_path, predicting(statement)), b"[[1]]")


SHAPE = "shape = getattr(data, 'shape', None); return [type(data).__name__, list(shape) if shape else data]"


@pytest.mark.parametrize(
    ("body", "given"),
    [
        (b"[1, 2, 3]", ["ndarray", [3]]),
        (b'["good plot", "bad plot"]', ["ndarray", [2]]),
        (b"[[[1, 2], [3, 4]]]", ["ndarray", [1, 2, 2]]),
        (b'{"instances": [[[1, 2], [3, 4]]]}', ["ndarray", [1, 2, 2]]),
        (b"[[1], [2, 3]]", ["list", [[1], [2, 3]]]),
        (b'[["a", 1]]', ["list", [["a", 1]]]),
        (b'{"inputs": "a text", "parameters": {}}', ["dict", {"inputs": "a text", "parameters": {}}]),
        (b'{"data": [[1, 2]], "columns": ["a", "b"]}', ["DataFrame", [1, 2]]),
    ],
)
def test_bodies_reach_code_without_input_fn_as_awss_decoder_has_them(body: bytes, given: Any, tmp_path: Path) -> None:
    code = loaded(tmp_path, predicting(SHAPE))

    assert json.loads(respond(code, body).body) == {"predictions": given}


def test_a_tensor_in_npy_reaches_code_without_input_fn(tmp_path: Path) -> None:
    np.save(out := io.BytesIO(), np.ones((2, 3, 4)))
    code = loaded(tmp_path, predicting("return list(data.shape)"))

    answer = respond(code, out.getvalue(), "application/x-npy", "application/json")

    assert json.loads(answer.body) == {"predictions": [2, 3, 4]}
    with pytest.raises(BadInputError):
        respond(code, out.getvalue()[:-8], "application/x-npy")


def test_a_booster_that_model_fn_returns_is_asked_as_awss_container_asks_it(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).random((40, 3))
    booster = xgboost.train({"nthread": 1}, xgboost.DMatrix(rows, rows[:, 0]), 3)
    (tmp_path / "xgboost-model").write_bytes(booster.save_raw("ubj"))
    program = """
        import pathlib, xgboost
        def model_fn(model_dir):
            booster = xgboost.Booster()
            booster.load_model(bytearray(pathlib.Path(model_dir, "xgboost-model").read_bytes()))
            return booster
    """

    answer = respond(loaded(tmp_path, program), json.dumps(rows[:2].tolist()).encode())

    expected = booster.predict(xgboost.DMatrix(rows[:2])).tolist()
    assert json.loads(answer.body)["predictions"] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("program", "told"),
    [
        (
            "def predict_fn(a): ...",
            r"predict_fn\(a\) cannot be called: it is given \(data, model\), or \(data, mo",
        ),
        ("def predict_fn(data, model, context, more): ...", "cannot be called"),
        ("def predict_fn(data, *, model): ...", "cannot be called"),
        ("def input_fn(): ...", r"it is given \(body, content_type\)"),
        ("predict_fn = 5", "predict_fn is a int, expected a function"),
        ("def model_fn(model_dir): ...", "model_fn returns a NoneType, which has no predict"),
        ("def predict(data): ...", r"`predict` is written `predict_fn\(data, model\)`"),
        ("def handler(data, context): ...", r"`handler` is written `transform_fn\("),
    ],
)
def test_functions_that_could_not_be_called_are_refused_at_load(program: str, told: str, tmp_path: Path) -> None:
    model = "" if "model_fn(model_dir)" in program else MODEL if "_fn" in program else ""

    with pytest.raises(ModelLoadError, match=told):
        loaded(tmp_path, model + program)


def test_a_parameter_with_a_default_keeps_it(tmp_path: Path) -> None:
    program = MODEL + "def predict_fn(data, model, threshold=0.5): return [threshold]"

    assert respond(loaded(tmp_path, program), b"[[1]]").body == b'{"predictions":[0.5]}'


CONTEXT = """
    def model_fn(model_dir): return None
    def transform_fn(model, body, content_type, accept, context):
        properties = context.request_processor[0].get_request_properties()
        context.set_response_content_type(0, "text/plain")
        context.set_response_status(203, "Changed")
        return properties["Content-Type"] + " " + context.get_request_id(0)
"""


def test_the_context_of_awss_toolkits(tmp_path: Path) -> None:
    answer = asyncio.run(loaded(tmp_path, CONTEXT).respond(b"x", "image/png", None, "r-1"))

    assert answer == Payload(b"image/png r-1", "text/plain", 203)


def test_status_and_media_type_go_through_the_server(tmp_path: Path) -> None:
    loaded(tmp_path, CONTEXT)

    with serving(tmp_path, workers=1) as server:
        answer = server.ask("POST", "/invocations", b"x", {"Content-Type": "image/png"})

    assert (answer.status, answer.headers["content-type"]) == (203, "text/plain")


def test_the_default_accept_of_awss_toolkits(tmp_path: Path) -> None:
    code = loaded(tmp_path, predicting("return [1, 2]"), Options(accept="text/csv"))

    assert respond(code, b"[[1]]").content_type == "text/csv"
    assert respond(code, b"[[1]]", accept="application/json").content_type == "application/json"


@pytest.mark.parametrize("content_type", ["image/png", "application/xml", "text/plain; charset=latin-1", "x/y"])
def test_any_body_of_any_type_goes_to_input_fn(content_type: str, tmp_path: Path) -> None:
    code = loaded(tmp_path, MODEL + "def input_fn(b, c): return [len(b), c]\ndef predict_fn(data, model): return data")

    assert json.loads(respond(code, b"\xff\xfe", content_type).body) == {"predictions": [2, content_type]}


def test_text_is_decoded_by_its_charset(tmp_path: Path) -> None:
    code = loaded(tmp_path, MODEL + "def input_fn(b, c): return [b]\ndef predict_fn(data, model): return data")

    assert json.loads(respond(code, b"caf\xe9", "text/csv; charset=latin-1", "application/json").body) == {
        "predictions": ["café"]
    }


@pytest.mark.parametrize("name", ["held", "neighbors"])
def test_predict_fn_gets_what_cannot_predict_by_itself(name: str, tmp_path: Path) -> None:
    rows = np.array([[0.0], [1.0], [5.0]])
    held = {"model": LogisticRegression().fit(rows, [0, 0, 1]), "offset": 2}
    found = {"held": held, "neighbors": NearestNeighbors(n_neighbors=1).fit(rows)}[name]
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(found))
    statement = {
        "held": "return model['model'].predict(data) + model['offset']",
        "neighbors": "return model.kneighbors(data, return_distance=False)[:, 0]",
    }[name]
    code = loaded(tmp_path, f"def predict_fn(data, model):\n    {statement}")

    expected = {"held": [3], "neighbors": [2]}[name]
    assert json.loads(respond(code, b'{"data": [[6]]}').body) == {"predictions": expected}


def test_a_models_own_class_that_ends_the_program_fails_its_request_only(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "leaving.py").write_text(
        "import sys\nclass Model:\n    def predict(self, rows):\n"
        "        if rows[0][0] > 1: sys.exit(3)\n        return [7] * len(rows)\n"
    )
    (tmp_path / "model.pkl").write_bytes(b"cleaving\nModel\n)\x81.")

    with serving(tmp_path, workers=1) as server:
        before = server.workers()
        statuses = [server.predict([value], **JSON).status for value in (0.0, 5.0, 0.0)]
        assert (statuses, server.workers()) == ([200, 500, 200], before)
