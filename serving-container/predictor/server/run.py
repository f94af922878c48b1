"""The server process from start to end: listen, have the model loaded, serve, drain."""

import asyncio
import os
import signal
import time
from collections.abc import Mapping

from predictor.http.listener import Server
from predictor.logs import log
from predictor.server.batching import Batcher
from predictor.server.lifecycle import Lifecycle, State
from predictor.server.metrics import Metrics
from predictor.server.pool import Pool
from predictor.server.routes import App
from predictor.settings import Settings

EXPIRY_SECONDS = 0.5
"""How often requests are checked for a deadline that has passed."""


async def serve(settings: Settings, variables: Mapping[str, str]) -> int:
    """Serve until SIGTERM, and return the exit code; `variables` are the environment of the workers."""
    started = time.monotonic()
    metrics, lifecycle = Metrics(), Lifecycle()
    batcher = Batcher(settings, metrics)
    pool = Pool(settings, variables, batcher, metrics)
    app = App(settings, lifecycle, metrics, batcher, pool)
    server = Server(settings, app)
    stop = _stop_signal()
    try:
        port = await server.listen()
    except OSError as error:
        log.critical(f"cannot listen on {settings.host}:{settings.port}: {os.strerror(error.errno or 0)}")
        return 1
    log.info(f"listening on {settings.host}:{port}")
    pool.start()
    tasks = [
        asyncio.create_task(_expire(batcher, pool)),
        asyncio.create_task(_get_ready(pool, lifecycle, started)),
    ]
    try:
        await asyncio.wait((stop, pool.failed), return_when=asyncio.FIRST_COMPLETED)
        if pool.failed.done():
            lifecycle.advance(State.FAILED)
            return pool.failed.result()
        lifecycle.advance(State.DRAINING)
        return await _drain(server, app, settings)
    finally:
        for task in tasks:
            task.cancel()
        server.close()
        pool.stop()
        app.refusals.close()


def _stop_signal() -> asyncio.Future[None]:
    """Done when the process is told to end, by whichever signal: each by itself would end it at once."""
    loop = asyncio.get_running_loop()
    stop: asyncio.Future[None] = loop.create_future()
    names = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # under nohup it is, and stays so
        names.append(signal.SIGHUP)  # the terminal is closed
    for name in names:
        loop.add_signal_handler(name, lambda: None if stop.done() else stop.set_result(None))
    return stop


async def _get_ready(pool: Pool, lifecycle: Lifecycle, started: float) -> None:
    await pool.ready.wait()
    if lifecycle.advance(State.READY):
        log.info(f"ready after {time.monotonic() - started:.1f} s")


async def _expire(batcher: Batcher, pool: Pool) -> None:
    """Answer the requests whose deadline has passed, whatever the workers do."""
    while True:
        await asyncio.sleep(EXPIRY_SECONDS)
        now = time.monotonic()
        batcher.expire(now)
        pool.expire(now)


async def _drain(server: Server, app: App, settings: Settings) -> int:
    log.info("draining")
    lost = await server.drain(settings.drain_seconds)
    app.refusals.close()
    if lost:
        log.error(f"{lost} requests were not answered within {settings.drain_seconds:g} s")
        return 1
    log.info("all requests are answered")
    return 0
