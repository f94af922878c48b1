"""The states of a stack, and what each lets one do.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html, "Stack status codes"
"""

from enum import Enum


class Next(Enum):
    """What a deployment can do with a stack."""

    CREATE = "create"
    UPDATE = "update"
    WAIT = "wait"
    DELETE_FIRST = "delete first"
    CONTINUE_ROLLBACK = "continue the rollback first"
    NOTHING = "nothing"


# REVIEW_IN_PROGRESS has a change set and no resource; creating goes on from there.
# UPDATE_FAILED and CREATE_FAILED appear where rollback is disabled: CREATE_FAILED takes an update only from there, so
# that deleting is what always helps.
NEXT = {
    "CREATE_COMPLETE": Next.UPDATE,
    "CREATE_FAILED": Next.DELETE_FIRST,
    "CREATE_IN_PROGRESS": Next.WAIT,
    "DELETE_COMPLETE": Next.CREATE,
    "DELETE_FAILED": Next.DELETE_FIRST,
    "DELETE_IN_PROGRESS": Next.WAIT,
    "IMPORT_COMPLETE": Next.UPDATE,
    "IMPORT_IN_PROGRESS": Next.WAIT,
    "IMPORT_ROLLBACK_COMPLETE": Next.UPDATE,
    "IMPORT_ROLLBACK_FAILED": Next.NOTHING,
    "IMPORT_ROLLBACK_IN_PROGRESS": Next.WAIT,
    "REVIEW_IN_PROGRESS": Next.CREATE,
    "ROLLBACK_COMPLETE": Next.DELETE_FIRST,
    "ROLLBACK_FAILED": Next.DELETE_FIRST,
    "ROLLBACK_IN_PROGRESS": Next.WAIT,
    "UPDATE_COMPLETE": Next.UPDATE,
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": Next.WAIT,
    "UPDATE_FAILED": Next.UPDATE,
    "UPDATE_IN_PROGRESS": Next.WAIT,
    "UPDATE_ROLLBACK_COMPLETE": Next.UPDATE,
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": Next.WAIT,
    "UPDATE_ROLLBACK_FAILED": Next.CONTINUE_ROLLBACK,
    "UPDATE_ROLLBACK_IN_PROGRESS": Next.WAIT,
}


def next_step(status: str) -> Next:
    """Return what can be done with a stack in this state."""
    if status in NEXT:
        return NEXT[status]
    return Next.WAIT if status.endswith("_IN_PROGRESS") else Next.NOTHING


def remedy(stack: str, status: str) -> str:
    """Say what to do about a stack that takes no update."""
    match next_step(status):
        case Next.WAIT:
            return "wait until that is over"
        case Next.DELETE_FIRST:
            return f"delete it with `aws cloudformation delete-stack --stack-name {stack}` and deploy again"
        case Next.CONTINUE_ROLLBACK:
            command = f"aws cloudformation continue-update-rollback --stack-name {stack}"
            return f"end the rollback with `{command}`, once what its events name is mended, and deploy again"
    return f"look at `aws cloudformation describe-stack-events --stack-name {stack}`"
