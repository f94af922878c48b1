"""The command batch: whole files through a model."""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from batch.progress import Progress
from batch.records import Options
from batch.run import Batch, run
from cli import options
from cli.local_commands import locate
from cli.output import show, tell
from deployment.errors import UsageError
from deployment.settings import ENVIRON
from local.environment import find_python
from local.process import run_to_end

STOP, SKIP = "stop", "skip"


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("batch", rich_help_panel="A model on this machine")(batch)


def batch(
    folder: options.Model,
    input_: Annotated[Path, typer.Argument(metavar="INPUT", help="A file, or a folder of files: .csv, .jsonl.")],
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", help="Where the file or the folder goes.")],
    *,
    local: Annotated[bool, typer.Option("--local", help="Predict on this machine, on all its cores.")] = False,
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
    """Predict every record of a file: CSV or JSON Lines in, the same records with their predictions out."""
    if not local:
        raise UsageError("say where to predict: --local for this machine")
    if on_error not in {STOP, SKIP}:
        raise UsageError(f"--on-error is stop or skip, not {on_error}")
    names = None if only is None else tuple(filter(None, only.split(",")))
    chosen = Options(skip=on_error == SKIP, only=names, probabilities=probabilities, header=header)
    started = time.monotonic()
    model = locate(folder)
    python = find_python(model, run_to_end, tell)
    with _bar() as bar:
        task = bar.add_task("", total=None, rows="", speed="")
        progress = Progress(lambda now: _move(bar, task, now, started))
        run(Batch(model, python, input_, output, chosen, overwrite), ENVIRON, progress)
    show(_summary(output, progress, time.monotonic() - started))


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


def _summary(output: Path, progress: Progress, seconds: float) -> str:
    now = progress.rows - progress.earlier
    earlier = f", {progress.earlier:,} of them by an earlier run" if progress.earlier else ""
    errors = f", {progress.errors:,} with errors" if progress.errors else ""
    return (
        f"{output}: {progress.rows:,} rows{earlier}{errors}; {seconds:.1f} s, {now / max(seconds, 0.001):,.0f} rows/s"
    )
