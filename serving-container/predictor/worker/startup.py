"""How a process that predicts starts: load the model, try it, and tell whether the process may be forked.

A fork holds the memory of its parent but none of its threads. Code that waits for such a thread waits for ever: the
pools of OpenMP, CUDA, gRPC and loky all do. So a process is forked only while it has one thread and no child.
"""

import gc
import os
import sys
import threading
from collections.abc import Callable, Sequence
from http import HTTPStatus
from pathlib import Path

from predictor.errors import ModelLoadError
from predictor.formats.media_types import JSON
from predictor.ipc import Ready, Request, Response
from predictor.logs import log
from predictor.models.base import Model, Options
from predictor.settings import Settings
from predictor.worker import samples
from predictor.worker.loading import load
from predictor.worker.user_code import UserCode

RARE_COLLECTION = 50_000
"""Objects between garbage collections while the model is loaded: most stay, and looking through them as often as usual
takes a tenth of the start."""
PROC = Path("/proc/self")


def load_model(settings: Settings) -> Model | UserCode | None:
    """Load the model; None when that fails, with one line in the log that says why."""
    usual = gc.get_threshold()
    gc.set_threshold(RARE_COLLECTION)
    try:
        options = Options(settings.threads, settings.program, settings.trusted_types, accept=settings.default_accept)
        model = load(settings.model_dir, options)
        if isinstance(model, UserCode):  # what its loading leaves behind may be large; a file's leaves next to nothing
            gc.collect()
    except ModelLoadError as error:
        log.critical(error.detail)
    except MemoryError:
        log.critical(f"the memory does not hold the model in {settings.model_dir}: use a larger instance")
    except (Exception, SystemExit) as error:  # noqa: BLE001  # the one line, whatever happened
        log.critical(f"the model in {settings.model_dir} cannot be loaded: {type(error).__name__}: {error}")
    else:
        return model
    finally:
        gc.set_threshold(*usual)
    return None


def why_not_forkable() -> str:
    """Why this process may not be forked; empty when it may.

    NumPy's own OpenBLAS starts its threads anew after a fork; it has none here, for the model is loaded with one.
    """
    try:
        threads = len(list((PROC / "task").iterdir()))
        children = len((PROC / "task" / str(os.getpid()) / "children").read_text().split())
    except OSError:  # not Linux
        threads, children = threading.active_count(), 0
    if threads > 1:
        return f"loading it started {_count(threads - 1, 'thread')}"
    return f"loading it started {_count(children, 'child process')}" if children else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "es" if noun.endswith("s") else "s")


def ready(model: Model | UserCode, respond: Callable[[Sequence[Request]], list[Response]], settings: Settings) -> Ready:
    """Try the model in the process that will predict; raises ModelLoadError when it fails on its owner's sample."""
    own_reading = isinstance(model, UserCode) and model.reads_bodies
    if sample := samples.first(settings.model_dir, own_reading=own_reading):
        accept = None if own_reading else JSON
        (answer,) = respond([Request(sample.body, sample.content_type, accept, "sample")])
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR and not own_reading:
            raise ModelLoadError(f"The model loads, but fails on the first row of {sample.path}; the cause is above.")
        if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
            fields = {"answer": answer.body.decode(errors="replace")}
            log.warning(f"the first row of {sample.path} is not answered", extra={"fields": fields})
    if isinstance(model, UserCode):
        return Ready(batches=False, memory=_own_memory())
    model.warm_up()
    return Ready(batches=model.schema.independent, memory=_own_memory())


def _own_memory() -> int:
    """Bytes that this process shares with no other; 0 where the system does not tell."""
    try:
        lines = (PROC / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Clean:", "Private_Dirty:")))


def use_threads(model: Model | UserCode, threads: int) -> None:
    """Let the numeric libraries of a worker use `threads`: the model was loaded with one.

    joblib's processes do not pay for the few rows of a request, and start anew in each worker; code of one's own may
    want them all the same.
    """
    if "threadpoolctl" in sys.modules and threads > 1:
        import threadpoolctl  # type: ignore[import-untyped]  # noqa: PLC0415  # loaded with scikit-learn

        threadpoolctl.threadpool_limits(threads)
    if "joblib" in sys.modules and not isinstance(model, UserCode):
        import joblib  # noqa: PLC0415  # loaded with the model

        joblib.parallel_config(backend="sequential")
