"""Old versions of a stack's functions: SAM keeps every one for ever, and SnapStart charges for its snapshot."""

from typing import Any

from deployment.session import Session

FUNCTION = "AWS::Lambda::Function"


def prune_versions(session: Session, stack: str, keep: int) -> int:
    """Delete the versions beyond the newest `keep` that no alias points to; return how many."""
    functions = _functions(session, stack)
    return sum(_prune(session.client("lambda"), name, keep) for name in functions)


def _functions(session: Session, stack: str) -> list[str]:
    pages = session.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    resources = [item for page in pages for item in page["StackResourceSummaries"]]
    return [item["PhysicalResourceId"] for item in resources if item["ResourceType"] == FUNCTION]


def _prune(client: Any, name: str, keep: int) -> int:
    pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=name)
    versions = [item["Version"] for page in pages for item in page["Versions"] if item["Version"] != "$LATEST"]
    used = _used(client, name)
    old = [version for version in sorted(versions, key=int, reverse=True)[keep:] if version not in used]
    for version in old:
        client.delete_function(FunctionName=name, Qualifier=version)
    return len(old)


def _used(client: Any, name: str) -> set[str]:
    """The versions that aliases point to, also those that get a share of the traffic while it shifts."""
    pages = client.get_paginator("list_aliases").paginate(FunctionName=name)
    aliases = [alias for page in pages for alias in page["Aliases"]]
    shares = [alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}) for alias in aliases]
    return {alias["FunctionVersion"] for alias in aliases} | {version for share in shares for version in share}
