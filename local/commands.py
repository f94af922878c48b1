"""The parts of the chain as commands, each with the whole of its environment."""

import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.process import Command
from local.settings import ACCOUNT, BUCKET, ENDPOINT, PARAMETERS, ROOT, SERVING, TEMPLATE
from local.template import FunctionDefinition, parameters, read_template

# Of the user's environment, what programs need to run and nothing that points at an account or a proxy.
INHERITED = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Base URLs of the parts."""

    gateway: str
    runtime: str
    container: str
    aws: str = ""


def training(program: Path, name: str, directory: Path, environ: Mapping[str, str]) -> Command:
    """Train an example model into `directory`."""
    arguments = (sys.executable, str(program), name, "--output", str(directory))
    return Command("training", arguments, _inherited(environ), ROOT, quiet=True)


def readable() -> Command:
    """Copy log lines to stdout as a person reads them."""
    return Command("log", (sys.executable, "-m", "local.readable"), {"PATH": os.defpath}, ROOT)


def sample(python: Path, model: Path, file: Path, environ: Mapping[str, str]) -> Command:
    """Write what the model can be tried with; it is loaded as the container loads it."""
    environment = _inherited(environ) | _serving(environ)
    return Command("sample", (str(python), "-m", "local.sample", str(model), str(file)), environment, ROOT)


def container(python: Path, model: Path, addresses: Addresses, environ: Mapping[str, str]) -> Command:
    """Serve the model as `docker run IMAGE serve` would, on the model's Python; the user's SERVING_* settings apply."""
    host, _, port = addresses.container.removeprefix("http://").partition(":")
    environment = {
        **_inherited(environ),
        **_serving(environ),
        "SERVING_HOST": host,
        "SERVING_PORT": port,
        "SERVING_MODEL_DIR": str(model),
    }
    return Command("serving container", (str(python), "-m", "predictor", "serve"), environment, SERVING)


def runtime(addresses: Addresses, sock: socket.socket, environ: Mapping[str, str]) -> Command:
    """Stand for SageMaker in front of the container."""
    jobs = ("--aws", addresses.aws, "--jobs-endpoint", PARAMETERS["JobsEndpointName"])
    options = ("--container", addresses.container, "--endpoint", ENDPOINT, *jobs, "--fd", str(sock.fileno()))
    notices = {"LOCAL_NOTICES": environ["LOCAL_NOTICES"]} if "LOCAL_NOTICES" in environ else {}
    environment = _inherited(environ) | _credentials() | notices
    return Command(
        "SageMaker runtime", (sys.executable, "-m", "local.runtime", *options), environment, ROOT, (sock.fileno(),)
    )


def aws(addresses: Addresses, sock: socket.socket, environ: Mapping[str, str]) -> Command:
    """Stand for the AWS services of jobs, and run the function that their events start."""
    template = read_template(TEMPLATE, PARAMETERS | parameters(TEMPLATE, environ))
    assert template.events is not None
    environment = _function(template.events, addresses, environ)
    arguments = (sys.executable, "-m", "local.aws", "--fd", str(sock.fileno()))
    return Command("AWS services of jobs", arguments, environment, ROOT, (sock.fileno(),))


def gateway(
    addresses: Addresses, sock: socket.socket, api_key: str | None, schema: Path, environ: Mapping[str, str]
) -> Command:
    """Run the Lambda handler behind a gateway."""
    key = () if api_key is None else ("--api-key", api_key)
    arguments = (sys.executable, "-m", "local.gateway", "--fd", str(sock.fileno()), *key)
    environment = function_environment(addresses, environ) | {
        "AUTH": "none" if api_key is None else "api_key",
        # In a package for AWS it lies beside the code.
        "SCHEMA_FILE": str(schema),
    }
    return Command("gateway", arguments, environment, ROOT, (sock.fileno(),))


def function_environment(addresses: Addresses, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment that Lambda gives the API's function.

    A variable that the template sets can be set differently by the user, as with `sam local`.
    """
    function = read_template(TEMPLATE, PARAMETERS | parameters(TEMPLATE, environ)).function
    return _function(function, addresses, environ)


def _function(function: FunctionDefinition, addresses: Addresses, environ: Mapping[str, str]) -> dict[str, str]:
    return {
        **_inherited(environ),
        **_credentials(),
        # The user's own ~/.aws must not reach the function.
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DEFAULT_REGION": ACCOUNT.region,
        # https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.limits.memory_mb),
        "AWS_LAMBDA_FUNCTION_NAME": "local",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/local",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "LAMBDA_TASK_ROOT": str(function.code),
        "PYTHONPATH": str(function.code),
        "TZ": ":UTC",
        "_HANDLER": function.handler,
        **{name: environ.get(name, value) for name, value in function.environment.items()},
        "JOBS_BUCKET": BUCKET,
        "AWS_ENDPOINT_URL_DYNAMODB": addresses.aws,
        "AWS_ENDPOINT_URL_S3": addresses.aws,
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": addresses.runtime,
    }


def _inherited(environ: Mapping[str, str]) -> dict[str, str]:
    # Unbuffered, so that the parts' lines come out in the order they were written.
    return {name: environ[name] for name in INHERITED if name in environ} | {"PYTHONUNBUFFERED": "1"}


def _serving(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name.startswith("SERVING_")} | {
        "PYTHONPATH": str(SERVING)
    }


def _credentials() -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": ACCOUNT.access_key_id,
        "AWS_SECRET_ACCESS_KEY": ACCOUNT.secret_access_key,
        "AWS_REGION": ACCOUNT.region,
    }
