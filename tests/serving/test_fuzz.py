"""Broken requests, made from good ones by chance: none may cost a 5xx, a process or memory.

The suite sends the same 3,000 each time; `make fuzz` sends 100,000 others, and FUZZ_SEED repeats them.
"""

import io
import os
import random
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix, save_npz

from tests.serving.processes import Process, children, serving, train, wait_until

REQUESTS = int(os.environ.get("FUZZ_REQUESTS", "3000"))
SEED = int(os.environ.get("FUZZ_SEED", "0"))
MAX_GROWTH_MIB = 40

INTERESTING = [
    *(
        b"",
        b"\x00",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b'"',
        b"'",
        b",",
        b"\n",
        b"\r",
        b"[",
        b"]",
        b"{",
        b"}",
        b":",
        b"null",
    ),
    *(b"NaN", b"Infinity", b"-1e999", b"1e308", b"9" * 400, b"-0", b"true", b"0x10", b"\\u0000", b"\xed\xa0\x80"),
    *(b"[" * 5000, b'{"data":' * 2000, b"1," * 5000, b'"data"', b'"method":"__class__"', b"../../etc/passwd"),
]
TYPES = [
    *(
        "application/json",
        "application/json; charset=utf-8",
        "APPLICATION/JSON;charset=latin-1",
        "application/jsonlines",
    ),
    *("text/csv", "text/csv; header=present", "text/csv; charset=utf-16", "application/x-npy", "application/x-npz"),
    *("", "text/plain", "application/", "application/json; charset=nonsense", "a/b; c=" + "d" * 2000, "*/*"),
]
ACCEPTS = [
    "",
    "*/*",
    "application/json",
    "text/csv",
    "application/x-npy",
    "text/html, */*;q=0.1",
    "q=2;;,",
    "image/png",
]


def numpy_bytes() -> Iterator[bytes]:
    for array in (np.ones((3, 2)), np.ones((3, 2), dtype="i4"), np.array([["a", "b"]]), np.ones(2), np.ones((0, 2))):
        file = io.BytesIO()
        np.save(file, array)
        yield file.getvalue()
    pickled = io.BytesIO()
    np.save(pickled, np.array([[{"a": 1}, 2]], dtype=object), allow_pickle=True)
    yield pickled.getvalue()
    sparse = io.BytesIO()
    save_npz(sparse, csr_matrix(np.eye(2)))
    yield sparse.getvalue()


GOOD = [
    *(b'{"data": [[1, 2], [3, 4]]}', b'{"instances": [[1, 2]]}', b"[[1, 2], [3, 4]]", b'[{"a": 1, "b": 2}]'),
    *(
        b'{"data": [[1, 2]], "columns": ["a", "b"], "method": "predict_proba"}',
        b'{"instances": [{"features": [1, 2]}]}',
    ),
    *(
        b"1,2\n3,4\n",
        b"petal length (cm),petal width (cm)\n1,2\n",
        b'"1","2"\r\n',
        b"[1, 2]\n[3, 4]\n",
        b'{"data": []}',
    ),
    *numpy_bytes(),
]


def mutated(chance: random.Random, body: bytes) -> bytes:
    """Break a body in up to four places."""
    broken = bytearray(body)
    for _ in range(chance.randrange(5)):
        start = chance.randrange(len(broken) + 1)
        end = min(len(broken), start + chance.choice((0, 1, 1, 8, 1000)))
        match chance.randrange(4):
            case 0:
                broken[start:end] = chance.choice(INTERESTING)
            case 1:
                broken[start:end] = chance.randbytes(chance.randrange(16))
            case 2:
                broken[start:end] = chance.choice(GOOD)
            case _:
                del broken[start:end]
    return bytes(broken)


def ask(server: Process, chance: random.Random, number: int) -> Iterator[int]:
    """Send broken bodies over one connection."""
    with server.client() as client:
        for _ in range(number):
            headers = {"Content-Type": chance.choice(TYPES), "Accept": chance.choice(ACCEPTS)}
            if chance.random() < 0.1:
                headers["X-Amzn-SageMaker-Custom-Attributes"] = chance.choice(
                    ["deadline-ms=x", "=,=,", "request-id=" * 9]
                )
            headers = {name: value for name, value in headers.items() if value}
            yield client.ask("POST", "/invocations", mutated(chance, chance.choice(GOOD)), headers).status


def ask_in_broken_http(server: Process, chance: random.Random) -> None:
    """Send a broken request line, headers and all; an answer may come or not."""
    host, port = server.address.split(":")
    body = chance.choice(GOOD)
    request = b"POST /invocations HTTP/1.1\r\nHost: h\r\nContent-Type: text/csv\r\nContent-Length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )
    with socket.create_connection((host, int(port)), timeout=10) as client:
        client.sendall(mutated(chance, request))


def memory(server: Process) -> float:
    """MiB that the server and its workers hold, shared pages once each; files they map, others may map too."""
    pids = [server.popen.pid, *children(server.popen.pid), *server.workers()]
    rollups = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids]
    lines = [line for text in rollups for line in text.splitlines() if line.startswith("Pss_Anon:")]
    return sum(int(line.split()[1]) for line in lines) / 1024


def test_broken_requests_cost_no_5xx_no_process_and_no_memory(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    statuses: Counter[int] = Counter()
    with serving(train(tmp_path / "model"), max_queue_requests=64) as server:
        sizes = []
        for _ in range(10):
            statuses.update(ask(server, chance, REQUESTS // 10))
            for _ in range(REQUESTS // 100):
                ask_in_broken_http(server, chance)
            wait_until(lambda: server.metric("serving_queue_requests") == 0)
            sizes.append(memory(server))

        context = f"FUZZ_SEED={SEED}: {dict(statuses)}, MiB {[round(size) for size in sizes]}"
        assert [line for line in server.log() if line["level"] == "error"] == [], context
        assert [status for status in statuses if status >= 500] == [], context
        assert {200, 400, 406, 415} <= set(statuses), context
        assert server.metric("serving_worker_deaths_total") == 0, context
        assert max(sizes) - sizes[1] < MAX_GROWTH_MIB, context
        assert server.ping() == 200
