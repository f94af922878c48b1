"""What can go wrong before and after a deployment.

DeploymentError            the command cannot go on: one line on stderr, exit code 2
├── MissingToolError       a program that the command needs is not there
├── ContainerError         Docker refused, or the container did not come up
├── ImageMissingError      there is no image of that name
├── ModelError             the model cannot be looked at
├── PackagesError          the model's packages cannot be had, or conflict with the server's
├── UsageError             a value of the command line is not what it should be
├── AccountError           AWS refused, or there are no credentials
├── NameRefusedError       AWS would not take a name that follows from the model's
├── DeployFailedError      CloudFormation did not get the stack to where it should be
├── CheckFailedError       a check failed, or the user said no: exit code 1
├── UnknownPriceError      the price table has no such instance type
└── UnreadableError        a file, or an answer, is not what it should be
"""


class DeploymentError(Exception):
    """Raise when a command cannot go on; the text is the one line the user reads."""


class MissingToolError(DeploymentError):
    """Raise when a program that the command needs is not there."""


class ContainerError(DeploymentError):
    """Raise when Docker refuses a command."""


class ImageMissingError(DeploymentError):
    """Raise when the image to push or to check has not been built."""


class ModelError(DeploymentError):
    """Raise when the model's own process fails."""


class PackagesError(DeploymentError):
    """Raise when the model's packages cannot be resolved or installed."""


class UsageError(DeploymentError):
    """Raise when a value of the command line is not what it should be."""


class AccountError(DeploymentError):
    """Raise when AWS refuses what the command needs, or cannot be asked."""


class NameRefusedError(DeploymentError):
    """Raise when AWS would refuse a name that follows from the model's or the environment's."""


class DeployFailedError(DeploymentError):
    """Raise when CloudFormation does not get a stack to where it should be."""


class CheckFailedError(DeploymentError):
    """Raise when a check fails, or the user does not agree."""


class UnknownPriceError(DeploymentError):
    """Raise when the price table has no such instance type."""


class UnreadableError(DeploymentError):
    """Raise when a file cannot be read as what it should be."""
