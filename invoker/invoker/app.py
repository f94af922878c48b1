"""What Lambda starts: everything is made once, here, from the environment.

handler: event -> service -> answer      (service.py has the routes, and each one's flow)

The local chain and the tests of the template load `handler` as Lambda does: by its name in template.yaml.
"""

import os
from collections.abc import Mapping
from typing import Any

from invoker import endpoint, settings
from invoker.documents import Documents
from invoker.service import Context, Service
from invoker.telemetry import Telemetry

SETTINGS = settings.read(os.environ)
CLIENT = endpoint.client(SETTINGS)
SERVICE = Service(SETTINGS, endpoint.Endpoint(CLIENT, SETTINGS), Documents(), Telemetry(SETTINGS.log_level))


def handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    return SERVICE.handle(event, context)
