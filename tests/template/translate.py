"""Writes the CloudFormation template that SAM makes of template.yaml: `python translate.py template.yaml`.

Run in the linters' environment. The code is not packaged for it, so each function's is somewhere in S3.
"""

import json
import sys
from pathlib import Path
from typing import Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class NoManagedPolicies:
    """The template names none of SAM's."""

    def load(self) -> dict[str, str]:
        return {}


def translate(source: str, parameters: dict[str, str]) -> dict[str, Any]:
    template = yaml_parse(source)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/package.zip"
    translated: dict[str, Any] = transform(template, parameters, NoManagedPolicies())
    return translated


if __name__ == "__main__":
    given = dict(argument.split("=", 1) for argument in sys.argv[2:])
    json.dump(translate(Path(sys.argv[1]).read_text(), given), sys.stdout, indent=1)
