"""Where the model will run: the hosting mode and what it asks of an image."""

import re
from dataclasses import dataclass
from enum import Enum

# Graviton families carry a `g` after the generation: c7g, m6gd, g5g; but g4dn and g5 are x86 with a GPU.
# https://docs.aws.amazon.com/sagemaker/latest/dg/notebooks-available-instance-types.html
_GRAVITON = re.compile(r"ml\.[a-z]+\d+g[a-z]*\.")


class Hosting(Enum):
    """The parameter Hosting of template.yaml."""

    EXISTING = "existing"
    REALTIME = "realtime"
    SERVERLESS = "serverless"


@dataclass(frozen=True, slots=True)
class Target:
    """`memory` is in MB and counts for serverless only, `instance_type` for realtime only."""

    hosting: Hosting
    instance_type: str
    memory: int

    @property
    def name(self) -> str:
        """How messages call it."""
        return self.instance_type if self.hosting is Hosting.REALTIME else f"{self.hosting.value} inference"

    @property
    def architecture(self) -> str:
        """What Docker calls the processor."""
        graviton = self.hosting is Hosting.REALTIME and _GRAVITON.match(self.instance_type)
        return "arm64" if graviton else "amd64"

    @property
    def startup_seconds(self) -> int:
        """Until when /ping must answer 200: 3 minutes serverless, else 8.

        https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints-invoke.html
        https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
        """
        return 180 if self.hosting is Hosting.SERVERLESS else 480
