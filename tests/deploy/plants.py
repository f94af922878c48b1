"""Defects planted in a copy of what is deployed: each must be caught by one check and by no other."""

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Plant:
    """In `file`, what matches `pattern` becomes `replacement`; `caught_by` is the check that then fails."""

    file: str
    pattern: str
    replacement: str
    caught_by: str

    def __call__(self, project: Path) -> None:
        path = project / self.file
        text, count = re.subn(self.pattern, self.replacement, path.read_text())
        assert count == 1, f"{self.pattern} is {count} times in {self.file}"
        path.write_text(text)


PLANTS = {
    "policy-of-another-endpoint": Plant(
        "template.yaml", r"endpoint/\$\{EndpointName\}", "endpoint/another", "predicts"
    ),
    "no-api-key": Plant("template.yaml", r"- \[\{api_key: \[\]\}\]", "- []", "asks_for_a_key"),
    "no-request-id": Plant(
        "template.yaml",
        r"(INVALID_API_KEY:\n(?:.*\n){3}) *gatewayresponse.header.X-Request-Id.*\n",
        r"\1",
        "names_the_request",
    ),
    "missing-dependency": Plant("invoker/requirements.txt", r"(?m)^pydantic==.*\n(    .*\n)*", "", "predicts"),
}
