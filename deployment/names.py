"""What a deployment is called on AWS: all of it follows from the model's name and the environment.

    stack, endpoint    NAME-ENVIRONMENT      SageMaker allows 63 characters, CloudFormation wants a letter first
    repository         model-api/NAME        ECR wants lower case

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-using-console-create-stack-parameters.html
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpoint.html
"""

import re
import unicodedata

from deployment.errors import NameRefusedError

# The endpoint is called like the stack.
LONGEST = 63
ALLOWED = re.compile(r"[a-z](-?[a-z0-9])*")
# SAM and CloudFormation add to a stack's name; what is left names the environment.
LONGEST_MODEL = 40
REPOSITORY_PREFIX = "model-api/"


def model_name(text: str) -> str:
    """Return the model's name if AWS takes it; raises NameRefusedError with a proposal."""
    if not ALLOWED.fullmatch(text) or len(text) > LONGEST_MODEL:
        raise NameRefusedError(
            f"the name {text!r} is not one that AWS takes for all that is called after it: "
            f"lower-case letters, digits and single hyphens, a letter first, at most {LONGEST_MODEL} characters; "
            f'write name = "{proposal(text)}" at the top of deployment.toml in the model\'s folder'
        )
    return text


def proposal(text: str) -> str:
    """Return the nearest name that is allowed."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if not name[:1].isalpha():
        name = f"model-{name}".rstrip("-")
    return name[:LONGEST_MODEL].rstrip("-")


def stack_name(model: str, environment: str) -> str:
    """Return the name of stack and endpoint; raises NameRefusedError."""
    if not re.fullmatch(r"[a-z0-9](-?[a-z0-9])*", environment):
        text = f"the environment {environment!r} becomes part of names on AWS: lower-case letters, digits and hyphens"
        raise NameRefusedError(f"{text}; call it {proposal(environment)!r}")
    name = f"{model}-{environment}"
    if len(name) > LONGEST:
        raise NameRefusedError(f"{name} has {len(name)} characters, an endpoint's name at most {LONGEST}; shorten one")
    return name


def repository_name(model: str) -> str:
    """Return the name of the model's repository in ECR, which its environments share."""
    return f"{REPOSITORY_PREFIX}{model}"
