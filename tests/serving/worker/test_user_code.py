"""A model directory's own code/inference.py, as AWS's framework containers take it."""

import asyncio
import json
import pickle
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from sklearn.linear_model import LogisticRegression

from predictor.errors import (
    BadInputError,
    ModelLoadError,
    NotAcceptableError,
    PredictionError,
    PredictorError,
    UnsupportedMediaTypeError,
)
from predictor.formats.registry import Payload
from predictor.models.base import Options
from predictor.worker.loading import load
from predictor.worker.user_code import UserCode

JSON = "application/json"


@pytest.fixture(autouse=True)
def modules_as_before() -> Iterator[None]:
    """Programs are imported as in a process of their own."""
    path, before = sys.path.copy(), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) & {"inference", "serve_it", "beside"} - before:
        del sys.modules[name]


def write(directory: Path, program: str, name: str = "inference.py") -> Path:
    (directory / "code").mkdir(exist_ok=True)
    (directory / "code" / name).write_text(textwrap.dedent(program))
    return directory


def loaded(directory: Path, program: str) -> UserCode:
    code = load(write(directory, program))
    assert isinstance(code, UserCode)
    return code


def respond(code: UserCode, body: bytes, content_type: str | None = JSON, accept: str | None = None) -> Payload:
    return asyncio.run(code.respond(body, content_type, accept))


FOUR = """
    import json

    def model_fn(model_dir):
        return 10

    def input_fn(body, content_type):
        assert isinstance(body, str)
        return json.loads(body)

    def predict_fn(data, model):
        return [row * model for row in data]

    def output_fn(prediction, accept):
        return json.dumps({"answer": prediction, "accept": accept}), accept
"""


def test_the_four_functions(tmp_path: Path) -> None:
    answer = respond(loaded(tmp_path, FOUR), b"[1, 2]")

    assert (json.loads(answer.body), answer.content_type) == ({"answer": [10, 20], "accept": JSON}, JSON)


@pytest.mark.parametrize(
    ("accept", "given"),
    [(None, JSON), ("*/*", JSON), ("text/csv", "text/csv"), ("text/csv;q=0.1, image/png", "image/png")],
)
def test_output_fn_gets_one_media_type(accept: str | None, given: str, tmp_path: Path) -> None:
    answer = respond(loaded(tmp_path, FOUR), b"[1]", accept=accept)

    assert (json.loads(answer.body)["accept"], answer.content_type) == (given, given)


def test_functions_may_be_async_and_take_a_context(tmp_path: Path) -> None:
    code = loaded(
        tmp_path,
        """
        async def model_fn(model_dir, context):
            return context.system_properties["model_dir"]

        async def input_fn(body, content_type, context):
            return context.get_request_header(0, "Content-Type")

        def predict_fn(data, model, context):
            return [data, model, context.get_all_request_header(0)["accept"]]

        async def output_fn(prediction, accept, context):
            return repr(prediction)
        """,
    )

    answer = respond(code, b"{}", accept="text/plain")

    assert answer == Payload(repr([JSON, str(tmp_path), "text/plain"]).encode(), "text/plain")


def test_transform_fn(tmp_path: Path) -> None:
    code = loaded(
        tmp_path,
        """
        def model_fn(model_dir):
            return b"model "

        def transform_fn(model, body, content_type, accept):
            return model + body, "application/octet-stream"
        """,
    )

    assert respond(code, b"\xff", "application/octet-stream") == Payload(b"model \xff", "application/octet-stream")


def test_transform_fn_excludes_the_functions_it_stands_for(tmp_path: Path) -> None:
    write(tmp_path, "def transform_fn(a, b, c, d): ...\ndef predict_fn(a, b): ...")

    with pytest.raises(
        ModelLoadError, match="has transform_fn and also one of the three it stands for: leave one kind"
    ):
        load(tmp_path)


def test_hooks_around_model_fn(tmp_path: Path) -> None:
    code = loaded(
        tmp_path,
        """
        notes = []

        def pre_model_fn(model_dir):
            notes.append("before")

        def model_fn(model_dir):
            notes.append("load")
            return notes

        def model_warmup_fn(model_dir, model):
            model.append("warm")

        def predict_fn(data, model):
            return [model]

        def output_fn(prediction, accept):
            return str(prediction[0])
        """,
    )

    assert respond(code, b"[[1]]").body == b"['before', 'load', 'warm']"


def save_model(directory: Path) -> None:
    model = LogisticRegression().fit([[0, 0], [1, 1]], ["no", "yes"])
    (directory / "model.pkl").write_bytes(pickle.dumps(model))


def test_without_model_fn_the_file_is_loaded_and_validated_as_ever(tmp_path: Path) -> None:
    save_model(tmp_path)
    code = loaded(tmp_path, "def unrelated(): ...")

    assert respond(code, b'{"data": [[1, 1]]}').body == b'{"predictions":["yes"]}'
    assert respond(code, b"1,1\n", "text/csv") == Payload(b"yes\n", "text/csv")
    with pytest.raises(BadInputError, match="expected 2 features, got 1"):
        respond(code, b'{"data": [[1]]}')
    with pytest.raises(NotAcceptableError):
        respond(code, b'{"data": [[1, 1]]}', accept="image/png")
    with pytest.raises(UnsupportedMediaTypeError):
        respond(code, b"<a/>", "application/xml")


def test_without_predict_fn_the_models_predict_is_called(tmp_path: Path) -> None:
    code = loaded(
        tmp_path,
        """
        class Model:
            def predict(self, data):
                return data.sum(axis=1)

        def model_fn(model_dir):
            return Model()
        """,
    )

    assert respond(code, b'{"instances": [[1, 2], [3, 4]]}').body == b'{"predictions":[3,7]}'


def test_only_output_fn(tmp_path: Path) -> None:
    save_model(tmp_path)
    code = loaded(tmp_path, "def output_fn(prediction, accept): return 'class: ' + prediction[0]")

    assert respond(code, b"[[1, 1]]", accept="text/plain") == Payload(b"class: yes", "text/plain")


def test_a_program_of_another_name_and_files_beside_it(tmp_path: Path) -> None:
    write(tmp_path, "VALUE = 7", "beside.py")
    write(
        tmp_path,
        "import beside\ndef model_fn(d): return beside.VALUE\ndef transform_fn(m, b, c, a): return str(m)",
        "serve_it.py",
    )

    code = load(tmp_path, Options(program="serve_it.py"))

    assert isinstance(code, UserCode)
    assert respond(code, b"{}").body == b"7"


def failing(directory: Path, statement: str) -> UserCode:
    return loaded(
        directory,
        f"""
        class Teapot(Exception):
            status_code = 418
            message = "short and stout"

        def model_fn(model_dir): ...

        def transform_fn(model, body, content_type, accept):
            {statement}
        """,
    )


@pytest.mark.parametrize(
    "statement", ["raise ValueError('secret')", "1 / 0", "raise SystemExit(3)", "raise MemoryError"]
)
def test_an_error_in_user_code_is_a_500_that_tells_its_kind_only(statement: str, tmp_path: Path) -> None:
    with pytest.raises(PredictionError) as failed:
        respond(failing(tmp_path, statement), b"{}")

    assert failed.value.status == 500
    assert failed.value.detail.startswith("transform_fn of the model's own code failed with ")
    assert "secret" not in failed.value.detail
    assert failed.value.__cause__ is not None


def test_an_error_with_a_status_of_its_own_keeps_it(tmp_path: Path) -> None:
    with pytest.raises(PredictorError) as failed:
        respond(failing(tmp_path, "raise Teapot"), b"{}")

    assert (failed.value.status, failed.value.detail) == (418, "short and stout")
    assert PredictorError.status == 500  # the class is as before


@pytest.mark.parametrize("statement", ["return None", "return {'a': 1}", "return [1]", "return (1, 'text/csv')"])
def test_an_answer_that_is_no_body(statement: str, tmp_path: Path) -> None:
    with pytest.raises(PredictionError, match=r"returned a \w+ where a str or bytes are needed"):
        respond(failing(tmp_path, statement), b"{}")


def test_text_that_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="not UTF-8, at byte 1"):
        respond(failing(tmp_path, "return body"), b'"\xff"')


@pytest.mark.parametrize(
    ("program", "detail"),
    [
        ("import no_such_module", 'it needs the module "no_such_module", which is not installed'),
        ("def model_fn(model_dir): raise ValueError('no weights')", "ValueError: no weights (line 1)."),
        ("def model_fn(model_dir):\n  import no_such_module", 'it needs the module "no_such_module"'),
        ("def model_fn(model_dir):\n  int(\n    'x')", "(line 2)."),
        ("x = 1\ndef model_fn(: ...", "(line 2)."),
    ],
)
def test_code_that_does_not_load_is_one_line(program: str, detail: str, tmp_path: Path) -> None:
    write(tmp_path, program)

    with pytest.raises(ModelLoadError) as refused:
        load(tmp_path)

    assert refused.value.detail.startswith(f"{tmp_path / 'code' / 'inference.py'} cannot be loaded: ")
    assert detail in refused.value.detail
    assert "\n" not in refused.value.detail


def test_code_without_a_model_to_load(tmp_path: Path) -> None:
    write(tmp_path, "def predict_fn(data, model): ...")

    with pytest.raises(ModelLoadError, match="holds no model"):
        load(tmp_path)
