"""What Lambda starts for the events of jobs; the routes belong to the API's function (invoker/app.py)."""

import os
from collections.abc import Mapping
from typing import Any

from invoker import settings
from invoker.jobs.events import Context, Events
from invoker.jobs.metrics import Metrics
from invoker.jobs.parts import Parts, clients

SETTINGS = settings.read(os.environ)
EVENTS = Events(Parts(SETTINGS, clients(SETTINGS)), Metrics(SETTINGS))


def handler(event: Mapping[str, Any], context: Context) -> None:
    EVENTS.handle(event, context)
