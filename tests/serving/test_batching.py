"""Batches in the real process: one request's fault is its own, and what nobody waits for is not predicted."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.serving import faults
from tests.serving.faults import FATAL
from tests.serving.processes import JSON, Process, Reply, serving, wait_until


def together(server: Process, *bodies: object) -> list[Reply]:
    """Send a request that occupies the one worker, then the bodies, which become one batch behind it."""
    with ThreadPoolExecutor(1 + len(bodies)) as threads:
        threads.submit(server.predict, [0, 0])
        wait_until(lambda: server.metric("serving_queue_requests") == 0)
        time.sleep(0.05)
        sent = [threads.submit(server.ask, "POST", "/invocations", json.dumps(body).encode(), JSON) for body in bodies]
        return [reply.result() for reply in sent]


def test_one_bad_request_among_four_fails_alone(tmp_path: Path) -> None:
    with serving(faults.save(faults.Echo(seconds=0.3), tmp_path / "model"), workers=1) as server:
        good = [{"data": [[number, 0]]} for number in range(3)]

        replies = together(server, good[0], {"data": [[1, 2, 3]]}, good[1], good[2])

        assert [reply.status for reply in replies] == [200, 400, 200, 200]
        assert [reply.json()["predictions"] for reply in replies if reply.status == 200] == [[0.0], [1.0], [2.0]]
        assert server.metric("serving_batch_requests_sum") == 5
        assert server.metric("serving_batch_requests_count") == 2


def test_a_request_the_model_fails_on_fails_alone_and_tells_nothing(tmp_path: Path) -> None:
    with serving(faults.save(faults.RaisesInPredict(seconds=0.2), tmp_path / "model"), workers=1) as server:
        replies = together(server, *({"data": [[number, 0]]} for number in (1, FATAL, 3)))

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


def test_a_client_that_hangs_up_costs_no_prediction(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    model = faults.save(faults.Echo(seconds=0.5, notes=notes), tmp_path / "model")
    with serving(model, workers=1) as server, ThreadPoolExecutor(1) as threads:
        slow = threads.submit(server.predict, [5, 0])
        time.sleep(0.1)
        with server.client() as client:
            client.connection.request("POST", "/invocations", b'{"data": [[2, 0]]}', JSON)
            time.sleep(0.1)
        assert slow.result().status == 200
        assert server.predict([3, 0]).status == 200

        assert notes.read_text().split()[-2:] == ["5", "3"]


def test_a_request_whose_deadline_has_passed_costs_no_prediction(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    model = faults.save(faults.Echo(seconds=0.5, notes=notes), tmp_path / "model")
    with serving(model, workers=1) as server, ThreadPoolExecutor(1) as threads:
        slow = threads.submit(server.predict, [5, 0])
        time.sleep(0.1)
        deadline = f"request-id=late, deadline-ms={int(time.time() * 1000) + 100}"
        late = server.predict([2, 0], X_Amzn_SageMaker_Custom_Attributes=deadline)
        over = server.predict([3, 0], X_Amzn_SageMaker_Custom_Attributes="deadline-ms=1000")

        assert slow.result().status == 200
        assert (late.status, late.json()["detail"]) == (503, "The deadline passed while the request waited.")
        assert late.headers["x-amzn-sagemaker-custom-attributes"] == "request-id=late"
        assert (over.status, over.json()["detail"]) == (503, "The deadline had passed when the request arrived.")
        assert "2" not in notes.read_text().split()
        assert "3" not in notes.read_text().split()


def test_a_full_queue_refuses_at_once_and_what_is_accepted_waits_no_longer(tmp_path: Path) -> None:
    model = faults.save(faults.Echo(seconds=0.2), tmp_path / "model")
    with serving(model, workers=1, max_queue_requests=4, max_batch_requests=2) as server:

        def ask(number: int) -> tuple[Reply, float]:
            start = time.monotonic()
            return server.predict([number, 0]), time.monotonic() - start

        with ThreadPoolExecutor(24) as threads:
            outcomes = list(threads.map(ask, range(24)))

        accepted = [seconds for reply, seconds in outcomes if reply.status == 200]
        refused = [(reply, seconds) for reply, seconds in outcomes if reply.status != 200]
        assert {(reply.status, reply.headers["retry-after"]) for reply, _ in refused} == {(503, "1")}
        assert len(accepted) + len(refused) == 24
        # the running batch and two more of the queue, whatever else is asked for meanwhile
        assert max(accepted) < 2.0
        assert len(refused) >= 12
