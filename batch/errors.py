"""What can go wrong in a batch.

BatchError   the batch cannot start or go on: exit code 2
LineError    a record of the input is refused: exit code 1
"""

from deployment.errors import CheckFailedError, DeploymentError


class BatchError(DeploymentError):
    """Raise when a batch cannot start or go on; the text says what to do."""


class LineError(CheckFailedError):
    """Raise when a record is refused; the text names its file and line."""
