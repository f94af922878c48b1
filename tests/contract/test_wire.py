"""The wire contract of docs/architecture.md: what the invoker sends, and what it makes of every answer."""

import io
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError

from invoker.errors import Failure, Problem
from tests.contract.conftest import NAME, REQUEST_ID, Wire
from tests.failing import failing
from tests.serving.faults import FATAL, DiesInPredict, Echo, RaisesInPredict, noted
from tests.serving.processes import wait_until

POINTS = b'{"data": [[1,2],[3,4],[3,3],[10,1],[7,8]]}'
SPECIES = ["versicolor", "virginica", "virginica", "virginica", "virginica"]


def refusal(wire: Wire, body: bytes) -> tuple[int, str, tuple[Problem, ...]]:
    with failing(Failure.REFUSED) as caught:
        wire.invoke(body)
    return caught.value.status, caught.value.detail, tuple(caught.value.problems)


def test_predictions_come_back_as_the_container_wrote_them(iris: Wire) -> None:
    assert json.loads(iris.invoke(POINTS)) == {"predictions": SPECIES}


def test_columns_and_method(iris: Wire) -> None:
    body = {"data": [[1.4, 0.2]], "columns": ["petal length (cm)", "petal width (cm)"], "method": "predict_proba"}

    (row,) = json.loads(iris.invoke(json.dumps(body).encode()))["predictions"]

    assert (len(row), sum(row)) == (3, pytest.approx(1))


def test_columns_for_a_model_without_names_are_refused(served: Callable[..., Wire]) -> None:
    status, detail, _ = refusal(served(Echo()), b'{"data": [[1, 2]], "columns": ["a", "b"]}')

    assert status == 400
    assert detail.startswith("The model was trained without column names: leave out `columns`")


def test_the_request_id_reaches_the_containers_log(iris: Wire) -> None:
    def lines() -> list[int]:
        return [line["status"] for line in iris.container.log() if line.get("request_id") == REQUEST_ID]

    before = len(lines())

    iris.invoke(POINTS)

    wait_until(lambda: lines()[before:][-1:] == [200])


def test_a_wrong_number_of_features_is_refused_with_its_place(iris: Wire) -> None:
    status, detail, problems = refusal(iris, b'{"data": [[1, 2], [1, 2, 3]]}')

    assert status == 400
    assert "2" in detail
    assert [problem.pointer for problem in problems] == ["/data/1"]


def test_a_string_where_a_number_belongs_is_refused_with_its_place(iris: Wire) -> None:
    status, _, problems = refusal(iris, b'{"data": [[1, 2], [3, "four"]]}')

    assert status == 400
    assert [problem.pointer for problem in problems] == ["/data/1/1"]


def test_a_method_the_model_lacks_is_refused(iris: Wire) -> None:
    status, detail, _ = refusal(iris, b'{"data": [[1, 2]], "method": "transform"}')

    assert status == 400
    assert "transform" in detail


def test_a_body_above_the_containers_limit_is_refused(served: Callable[..., Wire]) -> None:
    wire = served(Echo(), max_body_bytes=100)

    status, detail, _ = refusal(wire, b'{"data": [' + b"[1, 2], " * 20 + b"[1, 2]]}")

    assert status == 413
    assert "100" in detail


def test_a_model_that_fails_is_a_failure_without_its_words(served: Callable[..., Wire]) -> None:
    wire = served(RaisesInPredict())

    with failing(Failure.FAILED) as caught:
        wire.invoke(json.dumps({"data": [[FATAL, 2]]}).encode())

    assert "secret of the model" not in caught.value.detail
    assert json.loads(wire.invoke(b'{"data": [[3, 4]]}')) == {"predictions": [3.0]}


def test_a_worker_that_dies_is_a_failure_and_service_goes_on(served: Callable[..., Wire]) -> None:
    wire = served(DiesInPredict())

    with failing(Failure.FAILED, Failure.UNAVAILABLE):
        wire.invoke(json.dumps({"data": [[FATAL, 2]]}).encode())

    assert json.loads(wire.invoke(b'{"data": [[3, 4]]}')) == {"predictions": [3.0]}


def test_a_deadline_that_passes_is_a_timeout(served: Callable[..., Wire], tmp_path: Path) -> None:
    """While the model has it still."""
    hold = tmp_path / "hold"
    wire = served(Echo(hold=hold))
    hold.touch()

    with failing(Failure.DEADLINE):
        wire.invoke(b'{"data": [[3, 4]]}', seconds=0.5)

    hold.unlink()


@contextmanager
def occupied(served: Callable[..., Wire], directory: Path, **settings: object) -> Iterator[Wire]:
    """A container whose one worker has a request for as long as this lasts."""
    notes, hold = directory / "notes", directory / "hold"
    wire = served(Echo(notes=notes, hold=hold), **settings)
    hold.touch()
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(wire.invoke, b'{"data": [[3, 4]]}')
        try:
            wait_until(lambda: "3" in noted(notes))
            yield wire
        finally:
            hold.unlink(missing_ok=True)
        assert json.loads(first.result()) == {"predictions": [3.0]}


def test_the_container_does_not_predict_what_nobody_waits_for(served: Callable[..., Wire], tmp_path: Path) -> None:
    with occupied(served, tmp_path) as wire, failing(Failure.DEADLINE):
        wire.invoke(b'{"data": [[5, 6]]}', seconds=1)

    assert json.loads(wire.invoke(b'{"data": [[7, 8]]}')) == {"predictions": [7.0]}
    assert noted(tmp_path / "notes")[-2:] == ["3", "7"]


def test_a_full_queue_is_unavailable(served: Callable[..., Wire], tmp_path: Path) -> None:
    with occupied(served, tmp_path, max_queue_requests=1) as wire, ThreadPoolExecutor(1) as threads:
        second = threads.submit(wire.invoke, b'{"data": [[5, 6]]}')
        wait_until(lambda: wire.container.metric("serving_queue_requests") == 1)

        with failing(Failure.UNAVAILABLE):
            wire.invoke(b'{"data": [[7, 8]]}')
        (tmp_path / "hold").unlink()

        assert json.loads(second.result()) == {"predictions": [5.0]}


def npy(rows: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asarray(rows), allow_pickle=False)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", POINTS),
        ("application/json", b'{"instances": [[1,2],[3,4],[3,3],[10,1],[7,8]]}'),
        ("application/jsonlines", b"[1,2]\n[3,4]\n[3,3]\n[10,1]\n[7,8]\n"),
        ("text/csv", b"1,2\n3,4\n3,3\n10,1\n7,8\n"),
        ("application/x-npy", npy([[1, 2], [3, 4], [3, 3], [10, 1], [7, 8]])),
    ],
    ids=["data", "instances", "jsonlines", "csv", "npy"],
)
def test_signed_callers_may_send_every_format(iris: Wire, content_type: str, body: bytes) -> None:
    answer = iris.client.invoke_endpoint(
        EndpointName=NAME, Body=body, ContentType=content_type, Accept="application/json"
    )

    assert json.loads(answer["Body"].read()) == {"predictions": SPECIES}


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("text/csv", b"versicolor\nvirginica\nvirginica\nvirginica\nvirginica\n"),
        ("application/jsonlines", "".join(f'{{"prediction":"{name}"}}\n' for name in SPECIES).encode()),
    ],
)
def test_signed_callers_may_ask_for_other_formats(iris: Wire, accept: str, expected: bytes) -> None:
    answer = iris.client.invoke_endpoint(EndpointName=NAME, Body=POINTS, ContentType="application/json", Accept=accept)

    assert (answer["ContentType"].partition(";")[0], answer["Body"].read()) == (accept, expected)


@pytest.mark.parametrize(
    ("content_type", "accept", "status"),
    [("image/png", "application/json", 415), ("application/json", "image/png", 406)],
)
def test_formats_that_nobody_knows_are_refused(iris: Wire, content_type: str, accept: str, status: int) -> None:
    with pytest.raises(ClientError) as caught:
        iris.client.invoke_endpoint(EndpointName=NAME, Body=POINTS, ContentType=content_type, Accept=accept)

    response: Any = caught.value.response
    assert response["OriginalStatusCode"] == status
    refused = json.loads(response["OriginalMessage"])
    assert refused["status"] == status
    assert set(refused) >= {"type", "title", "status", "detail"}
