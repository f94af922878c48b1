"""SageMaker's quotas of the account, which AWS starts at little or nothing for many instance types."""

from collections.abc import Callable, Iterator, Mapping

from deployment.findings import Finding, error, passed, warning
from deployment.session import Session
from deployment.target import Hosting, Target

SUBJECT = "quota"
# A blue/green update runs the new fleet beside the old one.
FLEETS = 2
SERVERLESS = "Maximum total concurrency that can be allocated across all serverless endpoints"


def check(session: Session, target: Target, parameters: Mapping[str, str]) -> Iterator[Finding]:
    """Compare the quotas with what the stack may come to need."""
    if target.hosting is Hosting.REALTIME:
        yield _check_instances(session, target, int(parameters["MaxInstances"]))
    elif target.hosting is Hosting.SERVERLESS:
        yield _check_concurrency(session, int(parameters.get("ServerlessConcurrency", "5")))


def _check_instances(session: Session, target: Target, wanted: int) -> Finding:
    name = f"{target.instance_type} for endpoint usage"
    value = _quota(session, lambda quota: quota == name)
    if value is None:
        return warning(SUBJECT, f"there is none named `{name}`", "check that the instance type is right")
    if value < wanted:
        advice = f"lower MaxInstances, or ask for more: Service Quotas, Amazon SageMaker, `{name}`"
        return error(SUBJECT, f"`{name}` is {value:g}, MaxInstances is {wanted}", advice)
    if value < FLEETS * wanted:
        advice = "an update at full scale runs the old and the new fleet side by side; ask for twice MaxInstances"
        return warning(SUBJECT, f"`{name}` is {value:g}, an update may need {FLEETS * wanted}", advice)
    return passed(SUBJECT, f"`{name}` is {value:g}")


def _check_concurrency(session: Session, wanted: int) -> Finding:
    """All serverless endpoints of the account and region share it."""
    value = _quota(session, lambda quota: "serverless" in quota.lower() and "total concurrency" in quota.lower())
    if value is None:
        return warning(SUBJECT, f"there is none named `{SERVERLESS}`", "see Service Quotas, Amazon SageMaker")
    if value < wanted:
        advice = f"lower ServerlessConcurrency, or ask for more: Service Quotas, Amazon SageMaker, `{SERVERLESS}`"
        return error(SUBJECT, f"`{SERVERLESS}` is {value:g}, ServerlessConcurrency is {wanted}", advice)
    return passed(SUBJECT, f"`{SERVERLESS}` is {value:g}; all serverless endpoints of the region share it")


def _quota(session: Session, is_it: Callable[[str], bool]) -> float | None:
    pages = session.client("service-quotas").get_paginator("list_service_quotas")
    for page in pages.paginate(ServiceCode="sagemaker"):
        for quota in page["Quotas"]:
            if is_it(quota["QuotaName"]):
                return float(quota["Value"])
    return None
