"""The commands that ask an AWS account: preflight, push, deploy, open, delete, costs."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cli import deployed_commands as deployed
from cli import deploying, options
from cli.output import report, show, show_json
from cli.stack_arguments import choose, session_of
from deployment import build, cost, permissions
from deployment import preflight as checks
from deployment import push as pushing
from deployment.account import Account
from deployment.engine import find_docker
from deployment.names import repository_name
from deployment.session import open_session
from deployment.settings import GOLDEN

BEFORE = "Before a deployment"
AFTER = "A deployed model"
DEPLOYED: Mapping[str, Callable[..., None]] = {
    "deploy": deploying.deploy,
    "open": deployed.open_,
    "status": deployed.status,
    "predict": deployed.predict,
    "logs": deployed.logs,
    "versions": deployed.versions,
    "rollback": deploying.rollback,
    "delete": deploying.delete,
    "list": deployed.list_,
}


def register(app: typer.Typer) -> None:
    """Add the commands to the program, in the order of the help."""
    app.command(rich_help_panel=BEFORE)(preflight)
    app.command(rich_help_panel=BEFORE)(costs)
    app.command(rich_help_panel=BEFORE)(push)
    for name, command in DEPLOYED.items():
        app.command(name, rich_help_panel=AFTER)(command)


def preflight(
    folder: options.Folder = None,
    *,
    env: options.Environment = None,
    parameter: options.Parameters = None,
    image: Annotated[str, typer.Option(help="Local image, started and asked as SageMaker does.")] = "",
    artifact: Annotated[Path | None, typer.Option(help="model.tar.gz, looked at before it is uploaded.")] = None,
    file: options.GoldenFile = None,
    docker: options.Docker = "docker",
    policy: Annotated[bool, typer.Option("--policy", help="Print the least IAM policy for who deploys.")] = False,
    as_json: options.Json = False,
) -> None:
    """Check what would otherwise fail while the stack is made."""
    stack = choose(folder, env, parameter)
    if policy:
        show_json(permissions.policy(stack.parameters))
        return
    model = stack.deployment.model if stack.deployment else None
    own = model / "golden.json" if model else GOLDEN
    settings = checks.Preflight(image, model, artifact, file or (own if own.is_file() else GOLDEN), docker)
    findings = checks.check(settings, stack, Account(session_of(stack)))
    raise typer.Exit(report(findings, as_json=as_json))


def costs(
    folder: options.Folder = None,
    *,
    env: options.Environment = None,
    parameter: options.Parameters = None,
    function_ms: Annotated[float, typer.Option(help="A request in the function.")] = 30,
    model_ms: Annotated[float, typer.Option(help="A request in the model, which serverless is paid by.")] = 20,
    body_bytes: Annotated[int, typer.Option(help="Request and answer together.")] = 2000,
    as_json: options.Json = False,
) -> None:
    """Estimate what the stack costs in a month."""
    stack = choose(folder, env, parameter)
    prices, load = cost.read_prices(), cost.Load(function_ms / 1000, model_ms / 1000, body_bytes)
    items = list(cost.estimate(prices, stack, load))
    if as_json:
        show_json({"currency": "USD", "prices_of": prices.date, "items": [asdict(item) for item in items]})
    else:
        show(f"{cost.table(prices, items, load)}\n\n{cost.break_even(prices, stack.parameters, load)}")


def push(
    folder: options.Folder = None,
    *,
    image: options.Image = build.IMAGE,
    repository: Annotated[str, typer.Option(help="Repository in ECR, made when it is missing.")] = "",
    docker: options.Docker = "docker",
    as_json: options.Json = False,
) -> None:
    """Push the image to ECR and print its URI by digest."""
    stack = choose(folder, None) if folder else None
    named = repository_name(stack.deployment.name) if stack and stack.deployment else build.IMAGE
    engine = find_docker(docker)
    uri = pushing.run(engine, open_session(), image, repository or named)
    if as_json:
        show_json({"uri": uri})
    else:
        show(uri)
