"""What deleting a stack removes, and what it leaves."""

from deployment.parameters import Stack

KEPT = (
    "Kept, and paid by size: the image in ECR, model.tar.gz, captured data, the bucket aws-sam-cli-managed-default-*.",
    "Kept, free: API Gateway's log role, which all APIs of the account and region share.",
)


def announce(stack: Stack, where: str) -> str:
    """Say what will be removed."""
    return f"{stack.name} in {where}: API and its key, function, endpoint, alarms, dashboard and logs are deleted."


def farewell(stack: Stack) -> str:
    """Say what happened."""
    gone = f"{stack.name} is deleted: API, function, endpoint, alarms, dashboard, logs. Nothing that is left runs."
    return "\n".join((gone, *KEPT))
