"""Models that start threads or processes: each is served though it is loaded, forked and asked, in the real process."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import lightgbm
import numpy as np
import pytest
import xgboost
from sklearn.compose import make_column_transformer
from sklearn.ensemble import BaggingClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from predictor.settings import available_memory, worker_environ
from tests.serving import faults
from tests.serving.processes import PYTHONPATH, launch, serving, wait_until

ROWS = np.random.default_rng(0).random((400, 4))
TARGET = (ROWS[:, 0] > 0.5).astype(int)
COLUMNS = make_column_transformer((StandardScaler(), [0, 1]), (MinMaxScaler(), [2, 3]), n_jobs=4)
MODELS = [
    HistGradientBoostingClassifier(max_iter=20),
    KNeighborsClassifier(),
    xgboost.XGBClassifier(n_estimators=10),
    lightgbm.LGBMClassifier(n_estimators=10, verbose=-1),
    lightgbm.LGBMClassifier(n_estimators=10, n_jobs=4, verbose=-1),
    BaggingClassifier(LogisticRegression(), n_jobs=4),
    make_pipeline(COLUMNS, LogisticRegression()),
]
BODY = json.dumps({"data": ROWS[:50].tolist()}).encode()
JSON = {"Content-Type": "application/json"}


def own_code(directory: Path, program: str) -> Path:
    (directory / "code").mkdir(parents=True)
    (directory / "code" / "inference.py").write_text(program)
    return directory


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_models_with_threads_answer_with_one_worker(model: Any, threads: int, tmp_path: Path) -> None:
    joblib.dump(model.fit(ROWS, TARGET), tmp_path / "model.joblib")

    with serving(tmp_path, workers=1, threads=threads) as server:
        reply = server.ask("POST", "/invocations", BODY, JSON)

    assert reply.json() == {"predictions": model.predict(ROWS[:50]).tolist()}


POOL = """
from concurrent.futures import ThreadPoolExecutor
def model_fn(model_dir):
    pool = ThreadPoolExecutor(1)
    pool.submit(int).result()
    return pool
def predict_fn(rows, pool):
    return pool.submit(lambda: [row[0] for row in rows]).result(timeout=5)
"""


def test_own_code_with_threads_is_loaded_by_each_worker(tmp_path: Path) -> None:
    with serving(own_code(tmp_path, POOL)) as server:
        wait_until(lambda: server.metric("serving_workers") == 2)

        assert server.predict([3, 0]).json() == {"predictions": [3.0]}
        assert "each worker loads the model by itself" in server.output.read_text()


def test_a_model_without_threads_is_shared(tmp_path: Path) -> None:
    with serving(faults.save(faults.Echo(), tmp_path / "model")) as server:
        wait_until(lambda: server.metric("serving_workers") == 2)

        assert "share its memory" in server.output.read_text()


def test_an_owners_sample_that_the_model_fails_on_is_found_at_load(tmp_path: Path) -> None:
    faults.save(faults.RaisesInPredict(), tmp_path / "model")
    (tmp_path / "model" / "samples.csv").write_text(f"a,b\n{faults.FATAL},0\n")

    with serving(tmp_path / "model", ready=False) as server:
        assert server.popen.wait(30) == 3
        assert "fails on the first row of" in server.log()[-1]["message"]


def test_a_made_up_row_that_the_model_fails_on_blocks_nothing(tmp_path: Path) -> None:
    program = "def model_fn(d):\n    return None\ndef predict_fn(rows, model):\n    raise ValueError(rows)\n"
    with serving(own_code(tmp_path, program)) as server:
        assert server.ping() == 200


def test_a_start_that_hangs_is_named_and_blocks_readiness(tmp_path: Path) -> None:
    faults.save(faults.HangsInPredict(), tmp_path / "model")
    (tmp_path / "model" / "samples.csv").write_text(f"a,b\n{faults.FATAL},0\n")

    with serving(tmp_path / "model", ready=False, stuck_seconds=1) as server:
        wait_until(lambda: "nor answered its sample row" in server.output.read_text())

        assert server.ping() == 503


def test_code_that_forks_and_returns_twice_answers_once(tmp_path: Path) -> None:
    program = (
        "import os\ndef model_fn(d):\n    return None\n"
        "def predict_fn(rows, model):\n    os.fork()\n    return [row[0] for row in rows]\n"
    )
    with serving(own_code(tmp_path, program), workers=1) as server, server.client() as client:
        numbers = [client.predict([number, 0]).json()["predictions"] for number in range(20)]

    assert numbers == [[number] for number in range(20)]


def test_a_worker_whose_child_outlives_it_is_missed_at_once(tmp_path: Path) -> None:
    program = (
        "import os, signal, time\ndef model_fn(d):\n    return None\n"
        "def predict_fn(rows, model):\n"
        "    if rows[0][0] == 666 and os.fork():\n        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    if rows[0][0] == 666:\n        time.sleep(60)\n"
        "    return [row[0] for row in rows]\n"
    )
    with serving(own_code(tmp_path, program), workers=1) as server:
        assert server.predict([666, 0]).status == 500
        assert server.predict([1, 0]).json() == {"predictions": [1.0]}


def test_workers_are_as_many_as_the_memory_holds(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("3000")
    (tmp_path / "memory.current").write_text("1000")
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 9 kB\nMemAvailable:       1 kB\n")

    assert available_memory(tmp_path, tmp_path / "none") == 2000
    assert available_memory(tmp_path, meminfo) == 1024
    assert available_memory(tmp_path / "none", tmp_path / "none") == float("inf")


def test_a_process_with_a_thread_is_not_forkable() -> None:
    script = (
        "import threading, time\nfrom predictor.worker.startup import why_not_forkable\nprint(why_not_forkable())\n"
        "threading.Thread(target=time.sleep, args=[5], daemon=True).start()\nprint(why_not_forkable())\n"
    )
    command = [sys.executable, "-c", script]
    environment = worker_environ({"PATH": os.environ["PATH"], "PYTHONPATH": PYTHONPATH})
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)

    assert ran.stdout.splitlines() == ["", "loading it started 1 thread"]


def test_a_model_whose_loading_ends_the_process_is_named(tmp_path: Path) -> None:
    own_code(tmp_path, "import os\nos.kill(os.getpid(), 11)\n")
    output = tmp_path / "output.log"

    assert launch(tmp_path, output, workers=1).wait(30) == 1
    assert "died with signal 11" in output.read_text()
    assert "the bytecode of another Python" in output.read_text()


@pytest.mark.parametrize(
    ("name", "content", "given"),
    [
        ("samples.jsonl", b'\n{"text": "good"}\n{"text": "bad"}\n', ["application/json", '{"text": "good"}']),
        ("samples/b.png", b"png", ["image/png", "b'png'"]),
        ("samples.csv", b"a,b\n1,2\n3,4\n", ["text/csv", "a,b\n1,2\n"]),
    ],
)
def test_a_worker_answers_the_owners_first_sample(name: str, content: bytes, given: list[str], tmp_path: Path) -> None:
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / ".DS_Store").write_bytes(b"")
    (tmp_path / name).write_bytes(content)
    program = (
        "import json, pathlib\ndef model_fn(d): return pathlib.Path(d)\ndef transform_fn(model, body, kind, accept):\n"
        "    text = body if isinstance(body, str) else str(body)\n"
        "    (model / 'seen.json').write_text(json.dumps([kind, text]))\n    return 'done'\n"
    )
    with serving(own_code(tmp_path, program), workers=1):
        assert json.loads((tmp_path / "seen.json").read_text()) == given
