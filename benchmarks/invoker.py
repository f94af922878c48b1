"""What the invoker costs: its start, its part of a request, its size. `make bench-invoker` writes the results.

Each figure is a ratio to the bare SDK, measured in pairs that take turns, so that whatever else the machine does falls
on both. Start is CPU time of a fresh interpreter; a request is wall time against the real chain's SageMaker runtime and
serving container.
"""

import json
import os
import platform
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic_core import from_json

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
    "PYDANTIC_DISABLE_PLUGINS": "__all__",
}
BARE = "import boto3; boto3.client('sagemaker-runtime')"
OURS = "import invoker.app"
INIT_ROUNDS = 15
WARM_SECONDS = 12.0
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
        warm_row(folder, "5 rows of 2", "iris", table(5, 2), 1.25),
        warm_row(folder, "1 MB, 30 features", "breast-cancer", table(4400, 30), 1.15),
    ]
    return [
        "## A request: wall time at p50, bare `invoke_endpoint` and the handler taking turns",
        "",
        "| body | bytes | bare ms | handler ms | ratio | target | turns |",
        "|---|---|---|---|---|---|---|",
        *rows,
        "",
        f"Reading the larger body in pydantic's parser takes {parse_ms():.1f} ms of CPU by itself, checked or not:",
        "whatever the endpoint's speed, the handler takes that much longer.",
    ]


def parse_ms() -> float:
    body = table(4400, 30)
    return statistics.median(timed(lambda: from_json(body)) for _ in range(30))


def table(rows: int, columns: int) -> bytes:
    draw = random.Random(0)
    return json.dumps({"data": [[round(draw.uniform(0, 30), 3) for _ in range(columns)] for _ in range(rows)]}).encode()


def warm_row(folder: Path, name: str, model: str, body: bytes, target: float) -> str:
    with running(folder / f"{model}.log", *ANY_PORTS, "--model", model) as chain:
        chain.wait_until_ready()
        environ = {**AWS, "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": chain.runtime_url, "PYTHONPATH": str(ROOT / "invoker")}
        command = [sys.executable, "-m", "benchmarks.invoker", "pairs", str(WARM_SECONDS)]
        # A file: a reader of the handler's log lines would take part of the two cores.
        with (folder / "output").open("w+b") as output:
            environ = {**os.environ, **environ}
            subprocess.run(command, cwd=ROOT, input=body, env=environ, stdout=output, check=True)
            output.seek(0)
            bare, ours = json.loads(output.readlines()[-1])
    ratio = statistics.median(ours) / statistics.median(bare)
    times = f"{statistics.median(bare):.2f} | {statistics.median(ours):.2f}"
    return f"| {name} | {len(body)} | {times} | {ratio:.2f} | {target} | {len(bare)} |"


def pairs(body: bytes, seconds: float) -> tuple[list[float], list[float]]:
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
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for calls, times in zip((bare, ours), spent, strict=True):
            times.append(timed(calls))
    return spent[0][5:], spent[1][5:]


def timed(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000


class Context:
    aws_request_id = "benchmark"

    def get_remaining_time_in_millis(self) -> int:
        return 26_000


def package(folder: Path) -> list[str]:
    built = build(folder / "lambda")
    compiled = any(built.rglob("*.pyc"))
    whole = folder / "whole"
    install = ["uv", "pip", "install", "-q", "--require-hashes", "--python-version", "3.13", "--target", str(whole)]
    arguments = ["--python-platform", "x86_64-manylinux_2_28", "-r", "requirements.txt"]
    subprocess.run([*install, *arguments], cwd=ROOT / "invoker", env=environment(), check=True)
    shutil.copytree(ROOT / "invoker" / "invoker", whole / "invoker", ignore=shutil.ignore_patterns("__pycache__"))
    names = {f"as deployed, {'with' if compiled else 'without'} bytecode": built}
    if compiled:
        names["as deployed, without bytecode"] = without_bytecode(built, folder / "bare")
    names["all of its requirements, without bytecode"] = whole
    return [
        "## Package",
        "",
        "| what | zipped MB | unzipped MB |",
        "|---|---|---|",
        *(f"| {name} | {zipped_mb(path):.1f} | {size_mb(path):.1f} |" for name, path in names.items()),
    ]


def build(to: Path, **variables: str) -> Path:
    """Make the package as `sam build` does."""
    named = [f"{name}={value}" for name, value in variables.items()]
    command = [
        "make",
        "--silent",
        "--directory",
        str(ROOT / "invoker"),
        "build-Function",
        f"ARTIFACTS_DIR={to}",
        *named,
    ]
    subprocess.run(command, env=environment(), check=True, stderr=subprocess.DEVNULL)
    return to


def environment() -> Mapping[str, str]:
    return {**os.environ, "PATH": f"{ROOT / '.tools/uv/bin'}:{os.environ['PATH']}"}


def without_bytecode(path: Path, to: Path) -> Path:
    return Path(shutil.copytree(path, to, ignore=shutil.ignore_patterns("__pycache__")))


def size_mb(path: Path) -> float:
    return sum(each.stat().st_size for each in path.rglob("*") if each.is_file()) / 1e6


def zipped_mb(path: Path) -> float:
    archive = path.with_suffix(".zip")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for each in path.rglob("*"):
            file.write(each, each.relative_to(path))
    return archive.stat().st_size / 1e6


if __name__ == "__main__":
    if sys.argv[1:2] == ["pairs"]:
        print(json.dumps(pairs(sys.stdin.buffer.read(), float(sys.argv[2]))))
    else:
        main()
