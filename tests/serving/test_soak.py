"""Many clients with questions of their own: every answer is the one for its question.

The suite asks for three seconds, `make soak` for as long as SOAK_SECONDS says.
"""

import os
import threading
import time
from pathlib import Path

from tests.serving import faults
from tests.serving.processes import Process, Reply, serving

SECONDS = float(os.environ.get("SOAK_SECONDS", "3"))
CLIENTS = 64


def ask(server: Process, number: int, end: float, wrong: list[tuple[list[list[float]], Reply]]) -> None:
    """Ask until `end`; no row that a client sends is sent by another."""
    sent = 0
    with server.client() as client:
        while time.monotonic() < end:
            rows = [[number * 1e9 + sent + row, 0.0] for row in range(1 + sent % 3)]
            reply = client.predict(*rows)
            if reply.status != 200 or reply.json() != {"predictions": [row[0] for row in rows]}:
                wrong.append((rows, reply))
            sent += len(rows)


def test_answers_are_for_their_own_questions(tmp_path: Path) -> None:
    with serving(faults.save(faults.Echo(seconds=0.001), tmp_path / "model")) as server:
        wrong: list[tuple[list[list[float]], Reply]] = []
        end = time.monotonic() + SECONDS
        threads = [threading.Thread(target=ask, args=(server, number, end, wrong)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert wrong == []
        # or else it was never put to the test
        assert server.metric('serving_batch_requests_bucket{le="1.0"}') < server.metric("serving_batch_requests_count")
