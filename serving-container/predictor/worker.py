"""The processes that predict: the loader, which loads the model and forks, and its forks, which answer batches.

Neither has a thread or an event loop running: a worker waits for a batch, predicts it, and sends the answers.
"""

import asyncio
import gc
import math
import os
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from predictor import batch
from predictor.errors import ModelLoadError, PredictorError
from predictor.frames import FORK, FORKED, LOAD_FAILED, UNSEEN, Answer, Task, pack, read_tasks
from predictor.model import Model, Options, UserCode, load
from predictor.settings import Settings
from predictor.telemetry import log

SELDOM = 50_000
"""Objects between garbage collections while the model is loaded: most stay, and looking through them as often as usual
takes a tenth of the start."""
TRIALS = 3
TRIAL_SECONDS = 0.1
"""Calls that are made only to time them: so many at most, and no further one after so long."""
LEAST_BATCH_BYTES = 2**17
BATCH_BYTES_A_SECOND = 1e9
"""Bytes of bodies in a batch for what a call takes by itself, which is then a small part: they take several times as
long. With more, one worker has all and the others nothing."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model that can predict."""

    model: Model | UserCode
    batch_bytes: int
    """A batch takes no further task once it holds this much: with 0, one at a time."""


def run_loader(settings: Settings, control: socket.socket) -> int:
    """Load the model, then fork a worker whenever the server asks for one, until it closes `control`."""
    usual = gc.get_threshold()
    gc.set_threshold(SELDOM)
    loaded = _load(settings) if settings.preload else None
    if settings.preload and loaded is None:
        return LOAD_FAILED
    if loaded and isinstance(loaded.model, UserCode):  # what it left behind may be large; files leave next to nothing
        gc.collect()
    gc.freeze()  # a collection in a worker would otherwise write to, and so copy, the pages it shares
    gc.set_threshold(*usual)
    while message := control.recv(FORK.size):
        (dead,) = FORK.unpack(message)
        code = _exit_code(dead)
        try:
            near_end, far_end = socket.socketpair()
            pid = os.fork()
        except OSError as error:
            log.critical(f"a worker cannot be forked: {error.strerror}")
            return 1
        if pid == 0:
            control.close()
            near_end.close()
            os._exit(_run_worker(settings, loaded, far_end))
        socket.send_fds(control, [FORKED.pack(pid, dead, code)], [near_end.fileno()])
        near_end.close()
        far_end.close()
    return 0


def _warmed_up(model: Model | UserCode, settings: Settings) -> Loaded:
    """Predict one row; what that takes says how much a batch shall hold."""
    if isinstance(model, UserCode):
        return Loaded(model, 0)
    started = time.perf_counter()
    predicts = model.warm_up()
    taken = time.perf_counter() - started
    if not model.signature.independent:
        return Loaded(model, 0)
    seconds = _call_seconds(model, taken) if predicts else math.inf
    return Loaded(model, int(min(settings.max_batch_bytes, max(LEAST_BATCH_BYTES, seconds * BATCH_BYTES_A_SECOND))))


def _call_seconds(model: Model, first: float) -> float:
    """What a call takes; infinity for a model that does not bear being tried. The first may have loaded something."""
    taken = [first]
    while len(taken) <= TRIALS and sum(taken) < TRIAL_SECONDS:
        started = time.perf_counter()
        try:
            model.warm_up()
        except ModelLoadError:
            return math.inf
        taken.append(time.perf_counter() - started)
    return min(taken)


def _exit_code(pid: int) -> int:
    """Wait for a worker that has closed its socket."""
    try:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) if pid else 0
    except ChildProcessError:
        return UNSEEN


def _run_worker(settings: Settings, loaded: Loaded | None, server: socket.socket) -> int:
    """Answer batches until the server closes its end."""
    loaded = loaded or _load(settings)
    if loaded is None:
        return LOAD_FAILED
    respond: Callable[[Sequence[Task]], list[Answer]]
    if isinstance(loaded.model, UserCode):
        respond = partial(_ask_user_code, loaded.model, asyncio.Runner())
    else:
        respond = partial(batch.respond, loaded.model)
    try:
        server.sendall(pack([Answer(200, "", b"", rows=loaded.batch_bytes)]))
        with server.makefile("rb") as stream:
            while (tasks := read_tasks(stream)) is not None:
                server.sendall(pack(respond(tasks)))
    except ConnectionError:
        return 0  # the server has gone, and with it everyone who waited
    except BaseException:  # noqa: BLE001  # a worker that cannot go on says why, and is replaced
        log.exception("the worker failed")
        return 1
    return 0


def _ask_user_code(code: UserCode, runner: asyncio.Runner, tasks: Sequence[Task]) -> list[Answer]:
    answers = []
    for task in tasks:
        payload = batch.attempt(runner.run, code.respond(task.body, task.content_type, task.accept))
        if isinstance(payload, PredictorError):
            answers.append(batch.refusal(payload, task))
        else:
            answers.append(Answer(200, payload.content_type, payload.body, rows=1))
    return answers


def _load(settings: Settings) -> Loaded | None:
    """Load the model and predict with it once; None when that fails, with one line in the log that says why."""
    try:
        options = Options(settings.threads, settings.program, settings.trusted_types)
        return _warmed_up(load(settings.model_dir, options), settings)
    except ModelLoadError as error:
        log.critical(error.detail)
    except MemoryError:
        log.critical(f"the memory does not hold the model in {settings.model_dir}: use a larger instance")
    except Exception as error:  # noqa: BLE001  # the one line, whatever happened
        log.critical(f"the model in {settings.model_dir} cannot be loaded: {type(error).__name__}: {error}")
    return None
