"""A slow client that asks for the server's health while others load it, as SageMaker does."""

import http.client
import math
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

INTERVAL_S = 0.05
TIMEOUT_S = 10.0


@contextmanager
def pinging(port: int, path: str) -> Iterator[list[float]]:
    """Ask every 50 ms, over a new connection each time, whether or not the last answer has come.

    The list holds milliseconds, in no order; a ping that failed counts as infinitely long.
    """
    answers: list[float] = []
    finished = Event()
    with ThreadPoolExecutor(max_workers=64) as pool:

        def schedule() -> None:
            due = time.monotonic()
            while not finished.wait(max(0.0, due - time.monotonic())):
                pool.submit(lambda: answers.append(ping(port, path)))
                due += INTERVAL_S

        scheduler = pool.submit(schedule)
        try:
            yield answers
        finally:
            finished.set()
            scheduler.result()


def ping(port: int, path: str) -> float:
    """Milliseconds from connecting to the whole answer; infinite unless that is 200."""
    started = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        return math.inf
    finally:
        connection.close()
    return (time.perf_counter() - started) * 1000 if answer.status == http.HTTPStatus.OK else math.inf
