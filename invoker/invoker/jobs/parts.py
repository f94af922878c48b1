"""Makes the parts of jobs, once for a process."""

from dataclasses import dataclass
from typing import Any

from invoker import endpoint
from invoker.jobs import storage
from invoker.jobs.files import Files
from invoker.jobs.handover import Handover
from invoker.jobs.notices import Notices
from invoker.jobs.settlement import Settlement
from invoker.jobs.store import Store
from invoker.jobs.sweep import Sweep
from invoker.jobs.uploads import Uploads
from invoker.settings import Settings


@dataclass(frozen=True, slots=True)
class Clients:
    """boto3's clients of what jobs are made over."""

    dynamodb: Any
    s3: Any
    runtime: Any


def clients(settings: Settings) -> Clients:
    return Clients(storage.client("dynamodb"), storage.client("s3"), endpoint.client(settings))


class Parts:
    def __init__(self, settings: Settings, clients: Clients) -> None:
        self.store = Store(clients.dynamodb, settings.jobs_table)
        self.files = Files(clients.s3, settings.jobs_bucket)
        self.handover = Handover(clients.runtime, settings.jobs_endpoint_name, self.store, self.files)
        self.settlement = Settlement(self.store, self.files)
        self.notices = Notices(self.store, self.files, self.settlement)
        self.uploads = Uploads(self.store, self.files, self.handover, self.settlement)
        self.sweep = Sweep(self.store, self.files, self.uploads, self.handover, self.settlement)
