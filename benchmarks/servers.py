"""The servers that are compared: how each is started for two cores, and how it is spoken to.

None writes a line per request where that can be switched off; otherwise each runs as its documentation recommends.
"""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from benchmarks.dialects import Dialect, OpenInference, Records, Split
from benchmarks.errors import ServerError

ROOT = Path(__file__).parents[1]
PEERS = Path(__file__).with_name("peers")
WORKERS = "2"
SPLIT = Split()


@dataclass(frozen=True, slots=True)
class Place:
    """Where one server runs: its environment's programs, a directory of its own, its model, three free ports."""

    bin: Path
    directory: Path
    model: Path
    ports: tuple[int, int, int]

    @property
    def port(self) -> int:
        return self.ports[0]


@dataclass(frozen=True, slots=True)
class Launch:
    command: list[str]
    variables: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Server:
    name: str
    environment: str
    package: str
    """Whose version is reported; empty for what this repository holds."""
    configuration: str
    launch: Callable[[Place], Launch]
    dialect: Dialect = SPLIT
    invocations: str = "/invocations"
    ping: str = "/ping"
    compiled: bool = False

    @property
    def is_container(self) -> bool:
        return self.environment == "container"


def tool(environment: str, program: str) -> Path:
    """A program of one of the benchmarks' environments."""
    return ROOT / ".tools" / f"bench-{environment}" / "bin" / program


def baseline(place: Place) -> Launch:
    template = Template((PEERS / "nginx.conf").read_text())
    conf = place.directory / "nginx.conf"
    conf.write_text(template.substitute(directory=place.directory, port=place.port))
    socket = place.directory / "gunicorn.sock"
    return Launch(
        [f"{place.bin}/python", str(PEERS / "baseline_serve.py"), str(conf), str(socket)], {"MODEL": str(place.model)}
    )


def fastapi(place: Place) -> Launch:
    options = ["--host", "127.0.0.1", "--port", str(place.port), "--workers", WORKERS, "--no-access-log"]
    return Launch(
        [f"{place.bin}/uvicorn", *options, "--app-dir", str(PEERS), "fastapi_app:app"], {"MODEL": str(place.model)}
    )


def mlserver(place: Place) -> Launch:
    http_port, grpc_port, metrics_port = place.ports
    settings = {
        "host": "127.0.0.1",
        "http_port": http_port,
        "grpc_port": grpc_port,
        "metrics_port": metrics_port,
        "parallel_workers": 0,
        "debug": False,
    }
    model_settings = {
        "name": "model",
        "implementation": "mlserver_sklearn.SKLearnModel",
        "max_batch_size": 32,
        "max_batch_time": 0.005,
        "parameters": {"uri": str(place.model)},
    }
    (place.directory / "settings.json").write_text(json.dumps(settings))
    (place.directory / "model-settings.json").write_text(json.dumps(model_settings))
    return Launch([f"{place.bin}/mlserver", "start", str(place.directory)])


def litserve(place: Place) -> Launch:
    return Launch([f"{place.bin}/python", str(PEERS / "litserve_app.py"), str(place.port)], {"MODEL": str(place.model)})


def bentoml(place: Place) -> Launch:
    options = ["--host", "127.0.0.1", "--port", str(place.port), "--working-dir", str(PEERS)]
    variables = {"MODEL": str(place.model), "BENTOML_DO_NOT_TRACK": "True", "BENTOML_HOME": str(place.directory)}
    return Launch([f"{place.bin}/bentoml", "serve", "bentoml_service:Rows", *options], variables)


def mlflow(place: Place) -> Launch:
    saved = place.model.parent.with_name(f"{place.model.parent.name}-mlflow")
    if not saved.exists():
        save = [f"{place.bin}/python", str(PEERS / "mlflow_save.py"), str(place.model), str(saved)]
        ran = subprocess.run(save, capture_output=True, text=True, cwd=place.directory, check=False)
        if ran.returncode:
            raise ServerError(f"mlflow did not save the model: {ran.stderr}")
    options = ["--host", "127.0.0.1", "--port", str(place.port), "--workers", WORKERS, "--env-manager", "local"]
    variables = {"UVICORN_ACCESS_LOG": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    return Launch([f"{place.bin}/mlflow", "models", "serve", "--model-uri", str(saved), *options], variables)


def product(place: Place) -> Launch:
    variables = {
        "PYTHONPATH": str(ROOT / "serving-container"),
        "SERVING_MODEL_DIR": str(place.model.parent),
        "SERVING_HOST": "127.0.0.1",
        "SERVING_PORT": str(place.port),
        "SERVING_WORKERS": WORKERS,
    }
    return Launch([f"{place.bin}/python", "-m", "predictor", "serve"], variables)


SERVERS = (
    Server("baseline", "baseline", "gunicorn", "nginx + gunicorn, 2 sync workers + Flask + pandas", baseline),
    Server("product", "container", "", "2 workers, model.joblib", product),
    Server("compiled", "container", "", "2 workers, the same model compiled", product, compiled=True),
    Server("fastapi", "peers", "fastapi", "uvicorn, 2 workers", fastapi),
    Server(
        "mlserver", "mlserver", "mlserver", "one process (faster than 1 or 2 workers), batches of 32, 5 ms", mlserver,
        dialect=OpenInference(), invocations="/v2/models/model/infer", ping="/v2/health/ready",
    ),
    Server("litserve", "peers", "litserve", "2 workers, batches of 32, 5 ms", litserve),
    Server("bentoml", "peers", "bentoml", "2 workers, adaptive batching", bentoml, dialect=Records(), ping="/readyz"),
    Server("mlflow", "peers", "mlflow", "scoring server, 2 workers", mlflow, dialect=Split("dataframe_split")),
)  # fmt: skip
