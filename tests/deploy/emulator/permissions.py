"""With AUTH=true: judge sagemaker:InvokeEndpoint by the policies of the role that signed the request."""

import re
import urllib.parse
from typing import Any

from ministack.core import iam_actions

INVOCATION = re.compile(r"/endpoints/([^/]+)/invocations$")


def install() -> None:
    action_of, resource_of = iam_actions.extract_iam_action, iam_actions.extract_resource_arn

    def extract_iam_action(service: str, method: str, path: str, *rest: Any, **options: Any) -> Any:
        if service == "sagemaker":
            return "sagemaker:InvokeEndpoint" if INVOCATION.search(path) else None
        return action_of(service, method, path, *rest, **options)

    def extract_resource_arn(service: str, method: str, path: str, *rest: Any, **options: Any) -> Any:
        if service == "sagemaker" and (match := INVOCATION.search(path)):
            region, account = rest[-2:]
            # endpoint ARNs are in lower case whatever the endpoint's name is
            return f"arn:aws:sagemaker:{region}:{account}:endpoint/{urllib.parse.unquote(match[1]).lower()}"
        return resource_of(service, method, path, *rest, **options)

    iam_actions.extract_iam_action, iam_actions.extract_resource_arn = extract_iam_action, extract_resource_arn
