"""Defects planted in a copy of what is deployed: each must be caught by its checks and by no other."""

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Plant:
    """In `file`, what matches `pattern` becomes `replacement`; `caught_by` are the checks that then fail."""

    file: str
    pattern: str
    replacement: str
    caught_by: frozenset[str]

    def __call__(self, project: Path) -> None:
        path = project / self.file
        text, count = re.subn(self.pattern, self.replacement, path.read_text())
        assert count == 1, f"{self.pattern} is {count} times in {self.file}"
        path.write_text(text)


# Whatever the function would answer; the gateway's own answers are as they were.
THE_FUNCTIONS = frozenset({"predicts", "says_what_is_wrong_with_a_body", "takes_binary_bodies_as_they_are"})
PLANTS = {
    # A stack without a schema.json asks the container about every body.
    "policy-of-another-endpoint": Plant(
        "template.yaml", r"endpoint/\$\{LowerCaseName\}", "endpoint/another", THE_FUNCTIONS
    ),
    "no-api-key": Plant(
        "template.yaml",
        r"(/predict:\n *post:\n *security: !If\n *- UsesKey\n *)- \[\{api_key: \[\]\}\]",
        r"\1- []",
        frozenset({"asks_for_a_key"}),
    ),
    "no-request-id": Plant(
        "template.yaml",
        r"(INVALID_API_KEY:\n(?:.*\n){3}) *gatewayresponse.header.X-Request-Id.*\n",
        r"\1",
        frozenset({"names_the_request"}),
    ),
    "missing-dependency": Plant(
        "invoker/requirements.txt",
        r"(?m)^aws-lambda-powertools==.*\n(    .*\n)*",
        "",
        THE_FUNCTIONS,
    ),
}
