"""What Lambda starts: everything is made once, here, from the environment.

handler: event -> service -> answer      (service.py has the routes, and each one's flow)

The local chain and the tests of the template load `handler` as Lambda does: by its name in template.yaml.
"""
# ruff: noqa: E402  # the imports are what garbage collection is off for

import gc

# What is made at the start lives as long as the process. Looking through it again and again is a sixth of the start.
gc.disable()

import os
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError
from snapshot_restore_py import (  # type: ignore[import-untyped]  # has no annotations
    register_after_restore,
    register_before_snapshot,
)

from invoker import endpoint, settings
from invoker.documents import Documents
from invoker.service import NO_ROUTES, Context, Routes, Service
from invoker.telemetry import Telemetry

SETTINGS = settings.read(os.environ)
CLIENT = endpoint.client(SETTINGS)
ENDPOINT = endpoint.Endpoint(CLIENT, SETTINGS)
TELEMETRY = Telemetry(SETTINGS.log_level, SETTINGS.aws_lambda_function_name)
DOCUMENTS = Documents(SETTINGS.schema_file)


def job_routes() -> Routes:
    """Return the routes of /jobs, where the stack has jobs."""
    if not SETTINGS.jobs_table:
        return NO_ROUTES
    from invoker.jobs.parts import Parts, clients  # noqa: PLC0415  # most stacks have no jobs, and start without them
    from invoker.jobs.routes import Jobs  # noqa: PLC0415

    parts = Parts(SETTINGS, clients(SETTINGS))
    return Jobs(SETTINGS, DOCUMENTS, parts.store, parts.files, parts.handover).routes()


SERVICE = Service(SETTINGS, ENDPOINT, DOCUMENTS, TELEMETRY, job_routes())


def prime() -> None:
    """Make the first call cheap; a snapshot without this is slower, not wrong."""
    try:
        ENDPOINT.prime()
    except BotoCoreError as error:
        TELEMETRY.logger.warning("not primed", extra={"cause": repr(error)})


register_before_snapshot(prime)
register_after_restore(ENDPOINT.renew)
# Nor need a collection look through it later: it would be a tenth of reading 1 MB.
gc.freeze()
gc.enable()


def handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    return SERVICE.handle(event, context)
