"""The command batch: whole files through a model."""

import time
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from batch import s3
from batch.on_this_machine import OnThisMachine
from batch.progress import Progress
from batch.records import Options
from batch.run import Batch, run
from batch.s3 import Place
from batch.state import Way
from batch.transform import PERMISSIONS, Resources, Transform, deployed_model
from cli import options
from cli.local_commands import locate
from cli.output import show, tell
from cli.stack_arguments import choose, session_of
from deployment.errors import UsageError
from deployment.session import account_errors, open_session
from deployment.settings import ENVIRON
from local.environment import find_python
from local.process import run_to_end
from local.settings import STATE

SCRATCH = STATE / "batch"
STOP, SKIP = "stop", "skip"
INSTANCE = "ml.m5.large"


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("batch", rich_help_panel="A model on this machine")(batch)


def batch(
    folder: options.Model,
    input_: Annotated[str, typer.Argument(metavar="INPUT", help="A file or a folder, here or s3://: .csv, .jsonl.")],
    output: Annotated[str, typer.Argument(metavar="OUTPUT", help="Where the file or the folder goes, here or s3://.")],
    *,
    local: Annotated[bool, typer.Option("--local", help="Predict on this machine, on all its cores.")] = False,
    env: Annotated[str, typer.Option("--env", "-e", help="Predict on AWS, with the model of this environment.")] = "",
    place: Annotated[str, typer.Option("--s3", metavar="S3URI", help="With --env: where the job's files go.")] = "",
    instance: Annotated[str, typer.Option("--instance-type", help="With --env: what the job runs on.")] = INSTANCE,
    instances: Annotated[int, typer.Option("--instances", min=1, help="With --env: how many of them.")] = 1,
    on_error: Annotated[
        str, typer.Option(metavar="stop|skip", help="At a refused record: end, or write its error and go on.")
    ] = STOP,
    only: Annotated[
        str | None, typer.Option(metavar="NAMES", help="The input's columns to keep, with commas; '' for none.")
    ] = None,
    probabilities: Annotated[bool, typer.Option("--probabilities", help="Add the classes' probabilities.")] = False,
    header: Annotated[
        bool | None, typer.Option("--header/--no-header", help="Whether a CSV file begins with its columns' names.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUTPUT where it is there.")] = False,
) -> None:
    """Predict every record of a file: CSV, JSON Lines or Parquet in, the same records with their predictions out."""
    if local == bool(env):
        raise UsageError("say where to predict: --local for this machine, or --env with an environment of AWS")
    if on_error not in {STOP, SKIP}:
        raise UsageError(f"--on-error is stop or skip, not {on_error}")
    names = None if only is None else tuple(filter(None, only.split(",")))
    chosen = Options(on_error == SKIP, names, probabilities, header, positional=not local)
    model = locate(folder)
    python = find_python(model, run_to_end, tell)
    way = OnThisMachine(model, python, ENVIRON) if local else _on_aws(folder, env, place, instance, instances)
    with account_errors(s3.PERMISSIONS), s3.here(input_, output, SCRATCH, _client, overwrite=overwrite) as paths:
        replaced = overwrite or output.startswith(s3.SCHEME)
        show(f"{output}: {_watched(Batch(model, python, *paths, chosen, overwrite=replaced), way)}")


def _client() -> Any:
    return open_session().client("s3")


def _watched(chosen: Batch, way: Way) -> str:
    """Do a batch under a progress bar; return how it went."""
    started = time.monotonic()
    with _bar() as bar:
        task = bar.add_task("", total=None, rows="", speed="")
        progress = Progress(lambda now: _move(bar, task, now, started))
        run(chosen, way, progress)
    return _summary(progress, time.monotonic() - started)


def _on_aws(folder: str, env: str, place: str, instance: str, instances: int) -> Transform:
    if not place:
        raise UsageError("name a place for the job's files that the model's role may read and write: --s3 s3://...")
    where = Place.parse(place)
    stack = choose(folder, env)
    session = session_of(stack)
    with account_errors(PERMISSIONS):
        model = deployed_model(session, stack.parameters.get("EndpointName") or stack.name)
        return Transform(session, Resources(model, instance, instances), where, tell)


def _bar() -> Bar:
    columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[rows]}"), TextColumn("{task.fields[speed]}"))
    console = Console(stderr=True)
    return Bar(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal, transient=True)


def _move(bar: Bar, task: int, progress: Progress, started: float) -> None:
    speed = (progress.rows - progress.earlier) / max(time.monotonic() - started, 0.001)
    bar.update(
        task,  # type: ignore[arg-type]  # a TaskID is a number
        total=progress.total,
        completed=progress.read,
        rows=f"{progress.rows:,} rows",
        speed=f"{speed:,.0f} rows/s",
    )


def _summary(progress: Progress, seconds: float) -> str:
    now = progress.rows - progress.earlier
    earlier = f", {progress.earlier:,} of them by an earlier run" if progress.earlier else ""
    errors = f", {progress.errors:,} with errors" if progress.errors else ""
    return f"{progress.rows:,} rows{earlier}{errors}; {seconds:.1f} s, {now / max(seconds, 0.001):,.0f} rows/s"
