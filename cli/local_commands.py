"""The commands that need no AWS account: describe, run, compile, image, golden, smoke."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from cli import options
from cli.output import report, show, show_table, tell
from deployment import build, model_process, samples, smoke
from deployment.credentials import choose
from deployment.engine import find_docker
from deployment.errors import UsageError
from deployment.model_packages import requirements
from deployment.settings import ENVIRON, GOLDEN, ROOT
from golden import requests
from local.environment import find_python
from local.example import NAMES, find_model
from local.process import run_to_end

HERE = "http://127.0.0.1:3000"


def register(app: typer.Typer) -> None:
    """Add the commands to the program, in the order of the help."""
    panel = "A model on this machine"
    app.command("describe", rich_help_panel=panel)(describe)
    app.command("run", rich_help_panel=panel)(run)
    app.command("compile", rich_help_panel=panel)(compile_)
    app.command("image", rich_help_panel=panel)(image)
    app.command("golden", rich_help_panel=panel)(golden)
    app.command("smoke", rich_help_panel="A deployed model")(smoke_)


def locate(model: str) -> Path:
    """Return the model's folder; an example is trained first, and says so on stderr."""
    stdout, sys.stdout = sys.stdout, sys.stderr
    try:
        return find_model(model, ENVIRON, run_to_end)
    finally:
        sys.stdout = stdout


def run(
    folder: options.Model = "iris",
    *,
    port: Annotated[int, typer.Option(help="The gateway's port; 0 for any free one.")] = 3000,
    runtime_port: Annotated[int, typer.Option(help="The SageMaker runtime's port.")] = 8081,
    container_port: Annotated[int, typer.Option(help="The serving container's port.")] = 8080,
    key: options.Key = "",
) -> None:
    """Serve the model on this machine, the whole chain, until Ctrl-C."""
    ports = {"--port": port, "--runtime-port": runtime_port, "--container-port": container_port}
    words = [word for option, value in ports.items() for word in (option, str(value))]
    asked = ("--api-key", key) if key else ()
    command = [sys.executable, "-m", "local", "--model", folder, *words, *asked]
    # The chain takes this process's place: a signal, or the end of a parent, then reaches it directly.
    os.execve(sys.executable, command, {**ENVIRON, "PYTHONPATH": str(ROOT)})  # noqa: S606  # our own command


def describe(folder: options.Model = "iris") -> None:
    """Write schema.json, what the model takes and answers, beside the model, and show it as a table."""
    model = locate(folder)
    text = model_process.describe_model(model, find_python(model, run_to_end, tell))
    (model / "schema.json").write_text(text)
    document = json.loads(text)
    items = document.get("properties") or dict(enumerate(document.get("prefixItems", ())))
    rows = [(str(name), _kind(item), "guessed" if "x-guessed" in item else "certain") for name, item in items.items()]
    show_table(("feature", "cells", "missing values"), rows)
    tell(f"written: {model / 'schema.json'}")


def _kind(item: dict[str, Any]) -> str:
    """What the cells of a feature are, as the table says it."""
    known = ", ".join(map(str, item.get("enum", item.get("x-categories", ()))))[:60]
    null = ", or missing" if "null" in item.get("type", ()) else ""
    return f"{item.get('x-type', 'not used')}{f' ({known})' if known else ''}{null}"


def compile_(
    folder: options.Model = "iris",
    *,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder for the compiled model.")] = None,
) -> None:
    """Write a scikit-learn model as ONNX that is proved to answer the same."""
    if output is None:
        raise UsageError(
            "OUTPUT is not set: name a directory for the compiled model, "
            "as in make compile MODEL=my-model OUTPUT=my-model-compiled"
        )
    model = locate(folder)
    if requirements(model):
        tell("warning: compile loads the model with the project's packages, and not with those of its requirements.txt")
    raise typer.Exit(model_process.compile_model(model, output.expanduser().resolve()))


def image(
    folder: options.Model = "iris",
    *,
    image: options.Image = build.IMAGE,
    extras: Annotated[str, typer.Option(help='Further packages of the image: "xgboost lightgbm compile".')] = "",
    context: Annotated[Path | None, typer.Option(help="Folder for the copy that is built from.")] = None,
    docker: options.Docker = "docker",
    flags: options.BuildFlags = "",
    base: options.Base = "",
    platform: Annotated[str, typer.Option(help="Where the image will run.")] = build.PLATFORM,
    trial: Annotated[bool, typer.Option("--try/--no-try", help="Start the image and ask it before it counts.")] = True,
) -> None:
    """Build the image with the model in it, and try it as SageMaker starts it."""
    engine = find_docker(docker)
    chosen = build.Build(locate(folder), image, context, extras, flags, base, platform)
    build.build(engine, chosen, tell)
    if trial:
        raise typer.Exit(report(build.try_image(engine, chosen)))


def golden(
    folder: Annotated[str, typer.Argument(metavar="[FOLDER]", help="The model's folder, with samples.csv.")] = "",
    *,
    url: options.Url = HERE,
    key: options.Key = "",
    token: options.Token = "",
    sign: options.Sign = False,
    file: options.GoldenFile = None,
) -> None:
    """Write golden requests: what the API answers now to the model's samples."""
    place = file or GOLDEN
    model = locate(folder) if folder else None
    address = base_url(url)
    with httpx.Client(auth=choose(key, token, sign=sign)) as client:
        if model:
            found = samples.read_samples(model)
            bodies = samples.fit(found, lambda body: smoke.ask(client, address, body)).bodies()
        else:
            bodies = [item.request for item in requests.read(place)]
        recorded = smoke.record(client, address, bodies)
    requests.write(place, recorded)
    if model and not file and folder not in NAMES:
        # What is deployed from the model's folder is asked these.
        requests.write(model / "golden.json", recorded)
    show(f"{place}: {len(recorded)} golden requests. Read the answers before you trust them.")


def smoke_(
    *,
    url: options.Url = HERE,
    key: options.Key = "",
    token: options.Token = "",
    sign: options.Sign = False,
    file: options.GoldenFile = None,
    as_json: options.Json = False,
) -> None:
    """Send golden requests to an API and compare its answers."""
    expected = requests.read(file or GOLDEN)
    with httpx.Client(auth=choose(key, token, sign=sign)) as client:
        raise typer.Exit(report(smoke.check_api(client, base_url(url), expected), as_json=as_json))


def base_url(text: str) -> str:
    """Return a base URL without a slash at its end; raises UsageError."""
    if not text.startswith(("http://", "https://")):
        raise UsageError(f"expected a URL, http://... or https://..., not {text!r}")
    return text.rstrip("/")
