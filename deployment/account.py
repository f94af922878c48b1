"""Checks that ask the AWS account: what would otherwise fail minutes into the stack's creation.

Account.rules is the table: one line a rule, with the page of AWS that it follows.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from botocore.exceptions import ClientError

from deployment import (
    endpoint_rules,
    image_rules,
    model_data_rules,
    permission_rules,
    quota_rules,
    stack_rules,
)
from deployment.findings import Finding, error, passed, skipped
from deployment.session import Refusal, Session, explain, refuses_credentials, remedy, who
from deployment.target import Target

Parameters = Mapping[str, str]
Check = Callable[[str, Target, Parameters], Iterator[Finding]]
CLOUDFORMATION = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide"
IAM = "https://docs.aws.amazon.com/IAM/latest"
SAGEMAKER = "https://docs.aws.amazon.com/sagemaker/latest"
QUOTAS = "https://docs.aws.amazon.com/general/latest/gr/sagemaker.html"


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table; `source` is AWS's page."""

    subject: str
    check: Check
    source: str


@dataclass(frozen=True, slots=True)
class Account:
    """Asks one account in one region. Each rule is given the stack's name, where the model runs, and the parameters."""

    session: Session

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The table, what is quick first."""
        return (
            Rule("stack", self._check_stack, f"{CLOUDFORMATION}/view-stack-events.html"),
            Rule("names", self._check_taken, f"{CLOUDFORMATION}/troubleshooting.html"),
            Rule("hosting", self._check_hosting, f"{SAGEMAKER}/dg/serverless-endpoints-update.html"),
            Rule("permissions", self._check_permissions, f"{IAM}/APIReference/API_SimulatePrincipalPolicy.html"),
            Rule("endpoint", self._check_endpoint, f"{SAGEMAKER}/APIReference/API_DescribeEndpoint.html"),
            Rule("repository", self._check_image, f"{SAGEMAKER}/dg/serverless-endpoints.html"),
            Rule("model data", self._check_model, f"{SAGEMAKER}/APIReference/API_ContainerDefinition.html"),
            Rule("quota", self._check_quota, QUOTAS),
        )

    def check(self, stack: str, target: Target, parameters: Parameters) -> Iterator[Finding]:
        """Check what the parameters name; without credentials that is one skipped finding."""
        try:
            identity = who(self.session)
        except Refusal as reason:
            yield self._unasked(reason)
            return
        yield passed("account", identity)
        for rule in self.rules:
            try:
                yield from rule.check(stack, target, parameters)
            except Refusal as reason:
                advice = remedy(reason, "this read, for whoever deploys")
                yield skipped(rule.subject, f"could not be asked: {reason}", advice)

    def _unasked(self, reason: Exception) -> Finding:
        if isinstance(reason, ClientError) and refuses_credentials(reason):
            return error("account", str(reason), remedy(reason))
        text, _, advice = explain(reason).rpartition("; ")
        return skipped("account", f"not asked: {text}", f"{advice}, to have the account checked as well")

    def _check_stack(self, stack: str, _target: Target, _parameters: Parameters) -> Iterator[Finding]:
        yield from stack_rules.check_state(self.session, stack)

    def _check_taken(self, stack: str, target: Target, parameters: Parameters) -> Iterator[Finding]:
        yield from stack_rules.check_taken(self.session, stack, target, parameters)

    def _check_hosting(self, stack: str, target: Target, _parameters: Parameters) -> Iterator[Finding]:
        yield from stack_rules.check_hosting(self.session, stack, target)

    def _check_permissions(self, _stack: str, target: Target, parameters: Parameters) -> Iterator[Finding]:
        yield from permission_rules.check(self.session, target, parameters)

    def _check_endpoint(self, _stack: str, target: Target, parameters: Parameters) -> Iterator[Finding]:
        yield from endpoint_rules.check(self.session, target, parameters)

    def _check_image(self, _stack: str, target: Target, parameters: Parameters) -> Iterator[Finding]:
        yield from image_rules.check(self.session, target, parameters)

    def _check_model(self, _stack: str, target: Target, parameters: Parameters) -> Iterator[Finding]:
        yield from model_data_rules.check(self.session, target, parameters)

    def _check_quota(self, _stack: str, target: Target, parameters: Parameters) -> Iterator[Finding]:
        yield from quota_rules.check(self.session, target, parameters)
