"""The invoker's own client in front of the real container process, with SageMaker's runtime between them."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from invoker import endpoint, media_types, settings
from invoker.endpoint import Invocation
from invoker.proxy import Body
from local.runtime import Endpoint, create_app
from local.settings import ACCOUNT
from tests.local.conftest import serving as serving_app
from tests.serving.faults import Echo, save
from tests.serving.processes import ROOT, Process, serving

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient

NAME = "demo"
REQUEST_ID = "7d6f1a52-8c0e-4b3f-9a61-2f4f0c1f9e11"
TRACEPARENT = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"


@dataclass(frozen=True, slots=True)
class Wire:
    """Both ends: the invoker's client, and the container that it reaches."""

    client: "SageMakerRuntimeClient"
    container: Process
    runtime_url: str

    def invoke(self, body: bytes, *, seconds: float = 20) -> bytes:
        """Invoke as the Lambda function does, with so many seconds left."""
        chosen = settings.read({"ENDPOINT_NAME": NAME})
        sent = Body(body, media_types.parse(media_types.JSON), "")
        invocation = Invocation(sent, REQUEST_ID, TRACEPARENT, time.monotonic() + seconds)
        return endpoint.Endpoint(self.client, chosen).invoke(invocation).content


Connect = Callable[..., Wire]


@pytest.fixture(scope="module")
def connect() -> Iterator[Connect]:
    """Return a function that serves a model directory, with the container's settings in small letters."""
    with ExitStack() as stack, pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", ACCOUNT.access_key_id)
        environment.setenv("AWS_SECRET_ACCESS_KEY", ACCOUNT.secret_access_key)
        environment.setenv("AWS_DEFAULT_REGION", ACCOUNT.region)

        def start(model: Path, **chosen: Any) -> Wire:
            container = stack.enter_context(serving(model, **chosen))
            app = create_app(Endpoint(NAME, f"http://{container.address}"), ACCOUNT)
            url = stack.enter_context(serving_app(app))
            environment.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", url)
            return Wire(endpoint.client(settings.read({"ENDPOINT_NAME": NAME})), container, url)

        yield start


@pytest.fixture(scope="module")
def iris(connect: Connect, tmp_path_factory: pytest.TempPathFactory) -> Wire:
    model = tmp_path_factory.mktemp("iris")
    train = ROOT / "serving-container" / "example" / "train.py"
    subprocess.run([sys.executable, str(train), "iris", "--output", str(model)], check=True, stdout=subprocess.DEVNULL)
    return connect(model, log_level="debug")


@pytest.fixture
def served(connect: Connect, tmp_path: Path) -> Callable[..., Wire]:
    """Return a function that serves one of the models in tests/serving/faults.py."""

    def start(model: Echo, **chosen: Any) -> Wire:
        return connect(save(model, tmp_path / "model"), workers=1, **chosen)

    return start
