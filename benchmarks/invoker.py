"""What the invoker costs: its start, its part of a request, its size. `make bench-invoker` writes the results.

Each figure is a ratio to the bare SDK, measured in pairs that take turns, so that whatever else the machine does falls
on both. Start is CPU time of a fresh interpreter; a request is wall time against what `make run` starts: a SageMaker
runtime that checks signatures, the serving container's server, a trained model. Both calls go to the same one.
"""

import json
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import from_json

from benchmarks.invoker_package import build, package
from benchmarks.machine import commit, field
from local.settings import ACCOUNT
from tests.chain.running import ANY_PORTS, running

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "RESULTS-invoker.md"
AWS = {
    "AWS_DEFAULT_REGION": ACCOUNT.region,
    "AWS_ACCESS_KEY_ID": ACCOUNT.access_key_id,
    "AWS_SECRET_ACCESS_KEY": ACCOUNT.secret_access_key,
    "ENDPOINT_NAME": "local",
    # As in the template.
}
BARE = "import boto3; boto3.client('sagemaker-runtime')"
OURS = "import invoker.app"
INIT_ROUNDS = 15
WARM_SECONDS = 12.0
READ_ROUNDS = 30
PACKAGES = ("boto3", "botocore", "pydantic", "aws-lambda-powertools")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        lines = [*machine(), "", *init(Path(folder)), "", *warm(Path(folder)), "", *package(Path(folder))]
    RESULTS.write_text("\n".join(["# Invoker, measured", "", *lines]) + "\n")
    print(RESULTS.read_text())


def machine() -> list[str]:
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return [
        f"* {time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}, commit {commit()}",
        f"* {field('/proc/cpuinfo', 'model name')}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start",
        f"* {platform.platform()}, Python {platform.python_version()}, {versions}",
    ]


def init(folder: Path) -> list[str]:
    """Compare in a fresh interpreter: the package as it is deployed, and its sources with all of botocore's data."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    built = build(folder / "here", PYTHON_VERSION=here)
    subprocess.run([sys.executable, "-m", "compileall", "-q", built], check=True)
    paths = {"bare": (BARE, ""), "deployed": (OURS, str(built)), "sources": (OURS, str(ROOT / "invoker"))}
    spent: dict[str, list[float]] = {name: [] for name in paths}
    for _ in range(INIT_ROUNDS):
        for name, (code, path) in paths.items():
            spent[name].append(cpu_ms(code, path))
    ratios = {
        name: statistics.median(one / other for one, other in zip(spent[name], spent["bare"], strict=True))
        for name in paths
    }
    rows = [f"| {name} | {statistics.median(spent[name]):.0f} | {ratios[name]:.2f} |" for name in paths]
    return [
        f"## Start: CPU time of a fresh interpreter, median of {INIT_ROUNDS} rounds",
        "",
        "`bare` imports boto3 and makes the client; `deployed` is the package that `sam build` makes; target: 1.5.",
        "",
        "| what | ms | ratio |",
        "|---|---|---|",
        *rows,
    ]


def cpu_ms(code: str, path: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": path, **AWS}
    subprocess.run([sys.executable, "-c", code], env=environ, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000


def warm(folder: Path) -> list[str]:
    rows = [
        warm_row(folder, "5 rows of 2, logistic regression", "iris", table(5, 2), 1.25),
        warm_row(folder, "4,400 rows of 30, random forest", "breast-cancer", table(4400, 30), 1.15),
    ]
    read, parsed, scanned = inside("reading", table(4400, 30), folder)
    return [
        "## A request: wall time at p50, bare `invoke_endpoint` and the handler taking turns",
        "",
        "| body, model | bytes | bare ms | handler ms | ratio | target | added ms | turns |",
        "|---|---|---|---|---|---|---|---|",
        *rows,
        "",
        f"Of what the larger body adds, validation is {read:.1f} ms of CPU. pydantic's parser needs {parsed:.1f} ms",
        f"for it unchecked, and {scanned:.1f} ms with nothing even kept. The endpoint waits meanwhile, so the ratio",
        f"depends on its speed: {read:.1f} ms are 0.15 of a bare call of {read / 0.15:.0f} ms.",
    ]


class Nothing(BaseModel):
    """Reads any object, and keeps nothing of it."""


def reading(body: bytes) -> list[float]:
    """Time what reads a body, by turns: the schema, pydantic's parser, the parser of which nothing is kept; CPU ms."""
    from invoker import media_types  # noqa: PLC0415  # on the path of this process only
    from invoker.judgement import judge  # noqa: PLC0415
    from invoker.model_schema import Feature, ModelSchema  # noqa: PLC0415

    numbers = [Feature(str(index), types=frozenset({"number"})) for index in range(30)]
    schema = ModelSchema({}, "table", numbers)
    media_type = media_types.parse(media_types.JSON)
    calls = (
        lambda: judge(body, media_type, schema, max_rows=10_000),
        lambda: from_json(body),
        lambda: Nothing.model_validate_json(body),
    )
    turns = [[timed(call, time.process_time) for call in calls] for _ in range(READ_ROUNDS)]
    return [statistics.median(times) for times in zip(*turns, strict=True)]


def table(rows: int, columns: int) -> bytes:
    draw = random.Random(0)
    return json.dumps({"data": [[round(draw.uniform(0, 30), 3) for _ in range(columns)] for _ in range(rows)]}).encode()


def warm_row(folder: Path, name: str, model: str, body: bytes, target: float) -> str:
    with running(folder / f"{model}.log", *ANY_PORTS, "--model", model) as chain:
        chain.wait_until_ready()
        bare, ours = inside("pairs", body, folder, AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=chain.runtime_url)
    ratio = statistics.median(ours) / statistics.median(bare)
    added = statistics.median(one - other for one, other in zip(ours, bare, strict=True))
    times = f"{statistics.median(bare):.2f} | {statistics.median(ours):.2f}"
    return f"| {name} | {len(body)} | {times} | {ratio:.2f} | {target} | {added:.2f} | {len(bare)} |"


def inside(measurement: str, body: bytes, folder: Path, **environ: str) -> Any:
    """Measure in a process that has the function's environment."""
    environ = {**os.environ, **AWS, "PYTHONPATH": str(ROOT / "invoker"), **environ}
    command = [sys.executable, "-m", "benchmarks.invoker", measurement]
    # A file: a reader of the handler's log lines would take part of the two cores.
    with (folder / "output").open("w+b") as output:
        subprocess.run(command, cwd=ROOT, input=body, env=environ, stdout=output, check=True)
        output.seek(0)
        return json.loads(output.readlines()[-1])


def pairs(body: bytes) -> tuple[list[float], list[float]]:
    """Call the endpoint by turns, bare and through the handler, after a few of each to warm up; in ms."""
    from invoker.app import CLIENT, handler  # noqa: PLC0415  # reads the environment, which only this process has set

    event = {
        "httpMethod": "POST",
        "resource": "/predict",
        "headers": {"content-type": "application/json"},
        "body": body.decode(),
        "requestContext": {"requestId": "benchmark"},
    }

    def bare() -> Any:
        answer = CLIENT.invoke_endpoint(EndpointName="local", Body=body, ContentType="application/json")
        return answer["Body"].read()

    def ours() -> Any:
        answer = handler(event, Context())
        assert answer["statusCode"] == HTTPStatus.OK, answer["body"]

    spent: tuple[list[float], list[float]] = ([], [])
    until = time.monotonic() + WARM_SECONDS
    while time.monotonic() < until:
        for calls, times in zip((bare, ours), spent, strict=True):
            times.append(timed(calls))
    return spent[0][5:], spent[1][5:]


def timed(call: Callable[[], Any], clock: Callable[[], float] = time.perf_counter) -> float:
    began = clock()
    call()
    return (clock() - began) * 1000


class Context:
    aws_request_id = "benchmark"

    def get_remaining_time_in_millis(self) -> int:
        return 26_000


if __name__ == "__main__":
    inner = {"pairs": pairs, "reading": reading}.get(sys.argv[1] if sys.argv[1:] else "")
    if inner is None:
        main()
    else:
        print(json.dumps(inner(sys.stdin.buffer.read())))
