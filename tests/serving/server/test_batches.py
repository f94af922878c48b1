"""Batches in the real process: one request's fault is its own, and what nobody waits for is not predicted."""

import json
import socket
import struct
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.serving import faults
from tests.serving.faults import FATAL
from tests.serving.processes import JSON, Process, Reply, serving, wait_until


@contextmanager
def occupied(model: type[faults.Echo], directory: Path, **settings: Any) -> Iterator[tuple[Process, Path]]:
    """A server whose one worker has a request, and keeps it as long as the file exists that comes with the server."""
    notes, hold = directory / "notes", directory / "hold"
    saved = faults.save(model(notes=notes, hold=hold), directory / "model")
    with serving(saved, workers=1, **settings) as server, ThreadPoolExecutor(1) as threads:
        hold.touch()
        first = threads.submit(server.predict, [5, 0])
        wait_until(lambda: "5" in faults.noted(notes))
        try:
            yield server, hold
        finally:
            hold.unlink(missing_ok=True)
        assert first.result().json() == {"predictions": [5.0]}


def together(server: Process, hold: Path, *bodies: object) -> list[Reply]:
    """Send the bodies, which become one batch behind the request that occupies the worker."""
    with ThreadPoolExecutor(len(bodies)) as threads:
        sent = [threads.submit(server.ask, "POST", "/invocations", json.dumps(body).encode(), JSON) for body in bodies]
        wait_until(lambda: server.metric("serving_queue_requests") == len(bodies))
        hold.unlink()
        return [reply.result() for reply in sent]


def test_one_bad_request_among_four_fails_alone(tmp_path: Path) -> None:
    with occupied(faults.Echo, tmp_path) as (server, hold):
        good = [{"data": [[number, 0]]} for number in range(3)]

        replies = together(server, hold, good[0], {"data": [[1, 2, 3]]}, good[1], good[2])

        assert [reply.status for reply in replies] == [200, 400, 200, 200]
        assert [reply.json()["predictions"] for reply in replies if reply.status == 200] == [[0.0], [1.0], [2.0]]
        assert server.metric("serving_batch_requests_sum") == 5
        assert server.metric("serving_batch_requests_count") == 2


def test_a_request_the_model_fails_on_fails_alone_and_tells_nothing(tmp_path: Path) -> None:
    with occupied(faults.RaisesInPredict, tmp_path) as (server, hold):
        replies = together(server, hold, *({"data": [[number, 0]]} for number in (1, FATAL, 3)))

        assert [reply.status for reply in replies] == [200, 500, 200]
        assert b"secret" not in replies[1].body
        assert b"Traceback" not in replies[1].body
        (line,) = [line for line in server.log() if line["level"] == "error"]
        assert "secret of the model" in line["traceback"]
        assert line["request_id"] == replies[1].json()["request_id"]


def test_a_wrong_number_of_predictions_is_a_500_with_a_clear_log(tmp_path: Path) -> None:
    with serving(faults.save(faults.WrongLength(), tmp_path / "model")) as server:
        reply = server.predict([1, 2], [3, 4], [5, 6])

        assert reply.status == 500
        assert reply.json()["detail"] == "The model gave 2 predictions for 3 rows."
        assert [line["message"] for line in server.log() if line["level"] == "error"] == [reply.json()["detail"]]


def test_a_client_that_resets_its_connection_costs_no_prediction(tmp_path: Path) -> None:
    """One that closes its side only may still read, so its request is predicted."""
    with occupied(faults.Echo, tmp_path) as (server, hold):
        with server.client() as client:
            client.connection.request("POST", "/invocations", b'{"data": [[2, 0]]}', JSON)
            wait_until(lambda: server.metric("serving_queue_requests") == 1)
            client.connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        wait_until(lambda: server.metric("serving_queue_requests") == 0)  # for the server has heard of it
        hold.unlink()
        assert server.predict([3, 0]).status == 200

        assert faults.noted(tmp_path / "notes")[-2:] == ["5", "3"]


def test_a_request_whose_deadline_has_passed_costs_no_prediction(tmp_path: Path) -> None:
    with occupied(faults.Echo, tmp_path) as (server, hold):
        deadline = f"request-id=late, deadline-ms={int(time.time() * 1000) + 1000}"
        late = server.predict([2, 0], X_Amzn_SageMaker_Custom_Attributes=deadline)
        over = server.predict([3, 0], X_Amzn_SageMaker_Custom_Attributes="deadline-ms=1000")
        hold.unlink()

        assert server.predict([4, 0]).status == 200
        assert (late.status, late.json()["detail"]) == (503, "The deadline passed while the request waited.")
        assert late.headers["x-amzn-sagemaker-custom-attributes"] == "request-id=late"
        assert (over.status, over.json()["detail"]) == (503, "The deadline had passed when the request arrived.")
        assert faults.noted(tmp_path / "notes")[-2:] == ["5", "4"]


def test_a_full_queue_refuses_at_once_and_what_is_accepted_waits_no_longer(tmp_path: Path) -> None:
    """While the worker has a request, four of 24 more find room; they are its next two batches."""
    limits = {"max_queue_requests": 4, "max_batch_requests": 2}
    with occupied(faults.Echo, tmp_path, **limits) as (server, hold), ThreadPoolExecutor(24) as threads:
        asked = [threads.submit(server.predict, [number, 0]) for number in range(24)]
        wait_until(lambda: sum(reply.done() for reply in asked) == 20)
        refused = [reply.result() for reply in asked if reply.done()]
        hold.unlink()

        assert {(reply.status, reply.headers["retry-after"]) for reply in refused} == {(503, "1")}
        assert Counter(reply.result().status for reply in asked) == {200: 4, 503: 20}
        assert server.metric("serving_batch_requests_count") == 3
