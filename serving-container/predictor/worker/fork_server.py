"""The processes that predict: the loader, which loads the model and forks, and its forks, which answer batches.

Where the loaded model allows no fork (startup.py), the loader starts anew without the model, and each worker loads it.
A loader and its workers run one thread of Python: a worker waits for a batch, predicts it, and sends the answers.
"""

import asyncio
import gc
import os
import socket
import sys
from collections.abc import Callable, Sequence
from functools import partial

from predictor.errors import ModelLoadError, PredictorError
from predictor.formats.limits import LIMITS
from predictor.ipc import FORK, FORKED, HELLO, LOAD_FAILED, UNSEEN, Request, Response, pack, read_requests
from predictor.logs import log
from predictor.models.base import Model
from predictor.settings import Settings, set_threads
from predictor.worker import batch, startup
from predictor.worker.user_code import UserCode

EACH = "each"
"""The loader's argument that has every worker load the model by itself."""
Respond = Callable[[Sequence[Request]], list[Response]]


def run_loader(settings: Settings, control: socket.socket, *, each: bool) -> int:
    """Fork a worker whenever the server asks for one, until it closes `control`."""
    model = None
    if settings.preload and not each:
        model = startup.load_model(settings)
        if model is None:
            return LOAD_FAILED
        if reason := startup.why_not_forkable():
            _start_anew(control, reason)
        log.info("the workers are forked from one process that has loaded the model, and share its memory")
    gc.freeze()  # a collection in a worker would otherwise write to, and so copy, the pages it shares
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
            os._exit(_run_worker(settings, model, far_end))
        socket.send_fds(control, [FORKED.pack(pid, dead, code)], [near_end.fileno()])
        near_end.close()
        far_end.close()
    return 0


def _start_anew(control: socket.socket, reason: str) -> None:
    """Replace this process by a loader that has not loaded the model."""
    log.info(f"each worker loads the model by itself: {reason}, which a fork would not have")
    descriptor = control.fileno()
    os.set_inheritable(descriptor, True)  # noqa: FBT003  # the standard library's signature
    os.execv(sys.executable, [sys.executable, "-m", "predictor", "load", str(descriptor), EACH])  # noqa: S606  # our own program


def _exit_code(pid: int) -> int:
    """Wait for a worker that has closed its socket."""
    try:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) if pid else 0
    except ChildProcessError:
        return UNSEEN


def _run_worker(settings: Settings, model: Model | UserCode | None, server: socket.socket) -> int:
    """Answer batches until the server closes its end."""
    LIMITS.rows = settings.max_rows
    if model is None:
        set_threads(settings.threads)
        model = startup.load_model(settings)
    if model is None:
        return LOAD_FAILED
    startup.use_threads(model, settings.threads)
    respond: Respond = partial(batch.respond, model) if not isinstance(model, UserCode) else _own_code(model)
    try:
        server.sendall(pack(HELLO, [startup.ready(model, respond, settings)]))
        _answer(respond, server)
    except ModelLoadError as error:
        log.critical(error.detail)
        return LOAD_FAILED
    except ConnectionError:
        return 0  # the server has gone, and with it everyone who waited
    except BaseException:  # noqa: BLE001  # a worker that cannot go on says why, and is replaced
        log.exception("the worker failed")
        return 1
    return 0


def _answer(respond: Respond, server: socket.socket) -> None:
    me = os.getpid()
    with server.makefile("rb") as stream:
        while (frame := read_requests(stream)) is not None:
            number, requests = frame
            answers = respond(requests)
            if os.getpid() != me:  # the model's own code has forked and returned twice
                os._exit(1)
            server.sendall(pack(number, answers))


def _own_code(code: UserCode) -> Respond:
    return partial(_ask_user_code, code, asyncio.Runner())


def _ask_user_code(code: UserCode, runner: asyncio.Runner, requests: Sequence[Request]) -> list[Response]:
    answers = []
    for request in requests:
        answering = code.respond(request.body, request.content_type, request.accept, request.request_id)
        payload = batch.attempt(runner.run, answering)
        if isinstance(payload, PredictorError):
            answers.append(batch.refusal(payload, request, set()))
        else:
            answers.append(Response(payload.status, payload.content_type, payload.body, rows=1))
    return answers
