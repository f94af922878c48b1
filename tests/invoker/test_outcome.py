import inspect

import boto3
import botocore.exceptions
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from invoker import outcome
from invoker.errors import Failure


def test_every_error_that_botocore_declares_is_mapped() -> None:
    client = boto3.client("sagemaker-runtime", region_name="us-east-1")
    shapes = client.meta.service_model.operation_model("InvokeEndpoint").error_shapes
    codes = {shape.metadata.get("error", {}).get("code", shape.name) for shape in shapes}

    assert {shape.name for shape in shapes} <= set(outcome.CODES)
    assert codes <= set(outcome.CODES)


@pytest.mark.parametrize(
    "kind",
    [kind for _, kind in inspect.getmembers(botocore.exceptions, inspect.isclass) if issubclass(kind, BotoCoreError)],
)
def test_every_exception_of_botocores_has_a_rule(kind: type[BotoCoreError]) -> None:
    assert any(each in outcome.EXCEPTIONS for each in kind.__mro__)


@pytest.mark.parametrize("kind", outcome.FOREIGN)
def test_whatever_is_caught_has_a_rule(kind: type[Exception]) -> None:
    assert kind is ClientError or any(each in outcome.EXCEPTIONS for each in kind.__mro__)


def test_a_rule_that_sends_again_is_never_for_a_model_that_ran() -> None:
    again = {code for code, rule in outcome.CODES.items() if rule.again}

    assert again == {
        "InternalDependencyException",
        "ModelNotReadyException",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }


def test_an_unknown_error_of_ours_stays_inside() -> None:
    response = {"Error": {"Code": "NewException", "Message": "arn:aws:secret"}, "ResponseMetadata": {}}
    error = outcome.translate(ClientError(response, "InvokeEndpoint"))  # type: ignore[arg-type]  # as little as can be

    assert error.failure is Failure.INTERNAL
    assert "secret" not in error.detail
