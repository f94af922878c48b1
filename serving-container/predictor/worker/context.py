"""What a model's own function may ask and say about its request, as the context of AWS's toolkits has it.

Source: awslabs/multi-model-server, mms/context.py.
"""

from dataclasses import dataclass, field
from typing import Any

FIRST, LAST = 200, 599
"""Statuses that an answer may have."""


@dataclass(slots=True)
class Context:
    """One request; `idx` counts the requests of a batch, of which there is one."""

    system_properties: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    request_id: str = ""
    status: int | None = None
    content_type: str | None = None

    @property
    def request_processor(self) -> "list[RequestProcessor]":
        return [RequestProcessor(self)]

    def get_request_id(self, idx: int = 0) -> str:
        return self.request_id if idx == 0 else ""

    def get_request_header(self, idx: int, key: str) -> str | None:
        """Look up a header; its name may be in any case."""
        return self.headers.get(key.lower()) if idx == 0 else None

    def get_all_request_header(self, idx: int = 0) -> dict[str, str]:
        return dict(self.headers) if idx == 0 else {}

    def set_response_content_type(self, idx: int, value: str) -> None:
        if idx == 0:
            self.content_type = value

    def get_response_content_type(self, idx: int = 0) -> str | None:
        return self.content_type if idx == 0 else None

    def set_response_status(self, code: int = 200, phrase: str = "", idx: int = 0) -> None:  # noqa: ARG002  # HTTP has the phrase of the code
        if idx == 0:
            self.status = int(code)

    def set_all_response_status(self, code: int = 200, phrase: str = "") -> None:
        self.set_response_status(code, phrase)

    def get_response_status(self, idx: int = 0) -> tuple[int, str]:
        return (self.status or FIRST if idx == 0 else FIRST), ""

    def set_response_header(self, idx: int, key: str, value: str) -> None:
        """Set the media type; SageMaker hands no other header of a container's answer to the caller."""
        if key.lower() == "content-type":
            self.set_response_content_type(idx, value)


@dataclass(frozen=True, slots=True)
class RequestProcessor:
    """The same request in the words of the model server's own handlers."""

    context: Context

    def get_request_property(self, key: str) -> str | None:
        return self.context.headers.get(key.lower())

    def get_request_properties(self) -> dict[str, str]:
        """Headers by the names that handlers look for: `content-type` and `Content-Type` alike."""
        headers = self.context.headers
        return headers | {name.title(): value for name, value in headers.items()}

    def report_status(self, code: int, reason_phrase: str = "") -> None:
        self.context.set_response_status(code, reason_phrase)

    def add_response_property(self, key: str, value: str) -> None:
        self.context.set_response_header(0, key, value)
